"""The passes over rows with which the quadratic path begins, and paths that need none."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.layers import Chain, Dense
from service.learning.losses import MSE, Agg, AggregatedLoss
from service.learning.optimisers import Apply, Block, Descent, Recurrence, Rule
from service.learning.rows.gram import Gram
from service.learning.training.batches.path import BatchPath
from service.learning.training.problem import Problem
from service.learning.training.quadratic import path as quadratic_path
from service.learning.training.quadratic.path import QuadraticPath, has_closed_form, obstacle, single_dense
from tests.support.learning.linear_problems import LinearProblem, exact_loss
from tests.support.learning.quadratic_training import (
    MAKE,
    NETWORK,
    START,
    TRAIN,
    VALIDATION,
    begin,
    chain,
    recipe,
    reports,
    without_seconds,
)


def test_known_sums_give_the_bytes_that_a_pass_over_the_rows_gives() -> None:
    train, validation = (replace(part, gram=Gram.of(part.inputs, part.targets)) for part in (TRAIN, VALIDATION))
    passing, knowing = begin(recipe(), VALIDATION), QuadraticPath(Problem(NETWORK, train, validation, recipe()), START)
    assert without_seconds(reports(passing, 40)) == without_seconds(reports(knowing, 40))
    assert not any(name.startswith("train.") for name in knowing.state())


def test_a_restored_training_does_not_pass_over_the_rows_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = begin(recipe()), begin(recipe())
    before = list(islice(first.run(40), 10))
    second.restore(first.state())
    monkeypatch.setattr(Gram, "of", None)
    assert len(before) + len(reports(second, 40)) == 41


@pytest.fixture
def slow_pass(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Passes wait for the event after half of their rows."""
    go_on, exact = threading.Event(), Gram.of

    def slowly(inputs: Any, targets: Any, after_block: Callable[[int], None]) -> Gram:
        after_block(len(inputs) // 2)
        go_on.wait()
        after_block(len(inputs))
        return exact(inputs, targets)

    monkeypatch.setattr(quadratic_path, "SHORT_PASS", 0)
    monkeypatch.setattr(quadratic_path, "HEARTBEAT_SECONDS", 0.001)
    monkeypatch.setattr(Gram, "of", slowly)
    yield go_on
    go_on.set()


def test_a_long_pass_says_how_far_it_is(slow_pass: threading.Event) -> None:
    path = begin(recipe())
    events = path.run(40)
    fraction = next(event for event in events if event)
    assert fraction == 0.5
    assert path.reported == -1
    assert path.vector.tobytes() == START.tobytes()
    slow_pass.set()
    assert reports(begin(recipe()), 40)[-1].epoch == 40


def test_a_pass_ends_when_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def long_pass(inputs: Any, targets: Any, after_block: Callable[[int], None]) -> None:
        for _ in range(100_000):
            after_block(len(inputs) // 2)
            threading.Event().wait(0.001)
        ended.append(True)

    monkeypatch.setattr(quadratic_path, "SHORT_PASS", 0)
    monkeypatch.setattr(quadratic_path, "HEARTBEAT_SECONDS", 0.001)
    monkeypatch.setattr(Gram, "of", long_pass)
    events = begin(recipe()).run(40)
    next(event for event in events if event)
    events.close()  # type: ignore[attr-defined]  # a generator
    assert ended == []


def test_a_training_stopped_inside_its_pass_goes_on_to_the_same_bytes(slow_pass: threading.Event) -> None:
    first, second = begin(recipe()), begin(recipe())
    events = first.run(40)
    next(event for event in events if event)
    second.restore(first.state())
    slow_pass.set()
    assert without_seconds(reports(second, 40)) == without_seconds(reports(begin(recipe()), 40))


def test_the_loss_over_many_rows_needs_no_further_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    path = begin(recipe())
    reports(path, 40)
    assert path.loss(path.vector) is None
    monkeypatch.setattr(quadratic_path, "FEW_NUMBERS", 0)
    theta = np.concatenate([path.vector[:6].reshape(3, 2).T.ravel(), path.vector[6:]])
    problem = LinearProblem(TRAIN.inputs[:], TRAIN.targets[:], np.zeros((2, 3)), np.zeros(2))
    assert path.loss(path.vector) == pytest.approx(exact_loss(problem, theta, bias=True), rel=1e-9)


def test_a_network_of_more_than_one_layer_is_no_single_dense() -> None:
    assert single_dense(Chain((Dense(3, 2), Dense(2, 1)))) is None
    assert single_dense(Chain((Dense(3, 2),))) == Dense(3, 2)


@dataclass(frozen=True, slots=True)
class HalfSquares(AggregatedLoss):
    """A loss of a package: half of mse."""

    name = "half_squares"
    quadratic = 0.5

    def terms(self, ŷ: Array, y: Array) -> Array:
        return 0.5 * np.square(ŷ - y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return ŷ - y


@pytest.mark.parametrize("agg", ["mean", "sum"])
def test_a_quadratic_loss_of_a_package_trains_as_it_does_by_batches(agg: Agg) -> None:
    asked = recipe(MAKE["Momentum"](eta=0.0005), loss=HalfSquares(agg=agg))
    assert obstacle(NETWORK, len(TRAIN), asked, weighted=False) is None
    by_form = reports(begin(asked, VALIDATION), 40)
    by_batches = reports(BatchPath(Problem(NETWORK, TRAIN, VALIDATION, asked), START), 40)
    assert [each.train_loss for each in by_form] == pytest.approx([each.train_loss for each in by_batches], rel=1e-9)
    assert by_form[-1].validation_loss == pytest.approx(by_batches[-1].validation_loss, rel=1e-9)


@dataclass(frozen=True, slots=True)
class Plain(Rule):
    """A rule of a package: Descent by another name."""

    name = "Plain"
    eta: float = 0.05

    @property
    def recurrence(self) -> Recurrence:
        return Recurrence()


def test_a_packages_plain_rule_has_a_closed_form_and_momentum_of_0_none() -> None:
    plain, descent = (reports(begin(recipe(rule)), 40) for rule in (Plain(), MAKE["Descent"](eta=0.05)))
    assert without_seconds(plain) == without_seconds(descent)
    assert has_closed_form(recipe(Plain()))
    assert has_closed_form(recipe(chain(Plain())))
    assert not has_closed_form(recipe(MAKE["Momentum"](rho=0)))


@dataclass(frozen=True, slots=True)
class Quartic(MSE):
    """A loss of a package that derives from mse and has terms of its own."""

    name = "quartic"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return (ŷ - y) ** 4


@dataclass(frozen=True, slots=True)
class Halved(Descent):
    """A rule of a package that derives from Descent and has steps of its own."""

    name = "Halved"

    def bind(self, block: Block) -> Apply:
        return lambda eta, t: None


@dataclass(frozen=True, slots=True)
class Renamed(Descent):
    """A rule of a package that steps as Descent does."""

    name = "Renamed"


def test_facts_do_not_pass_to_classes_with_terms_or_steps_of_their_own() -> None:
    assert obstacle(NETWORK, len(TRAIN), recipe(loss=Quartic()), weighted=False) is not None
    assert Halved().recurrence is None
    assert not has_closed_form(recipe(Halved()))
    assert has_closed_form(recipe(Renamed()))
