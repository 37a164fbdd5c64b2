"""Epochs on quadratic forms against back-propagation in float64 and steps in extended precision."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.layers import Chain, Dense
from service.learning.network import Network
from service.learning.optimisers import Rule
from service.learning.rows.part import Part
from service.learning.schedules import Exp, Plateau, Schedule
from service.learning.training.batches.path import BatchPath
from service.learning.training.coordinates import Coordinates
from service.learning.training.events import Diverged, EpochReport
from service.learning.training.problem import Problem
from service.learning.training.quadratic.path import QuadraticPath
from service.learning.training.recipe import Recipe
from service.learning.training.scaling import Scaling
from tests.support.learning.linear_problems import linear_problem
from tests.support.learning.quadratic_training import (
    MAKE,
    MSE,
    NETWORK,
    RULES,
    START,
    TRAIN,
    VALIDATION,
    begin,
    part_of,
    recipe,
    reports,
    without_seconds,
)

CASES = [*[recipe(rule, 12) for rule in RULES], recipe(None, 12, schedule=Exp(start=0.1, decay=0.8))]
CASES += [recipe(rule, 12, schedule=Plateau(start=0.9, decay=0.5, patience=1)) for rule in RULES[:1]]


def assert_same_training(quadratic: QuadraticPath, batches: BatchPath, epochs: int) -> None:
    for ours, theirs in zip(reports(quadratic, epochs), reports(batches, epochs), strict=True):
        assert (ours.epoch, ours.rate) == (theirs.epoch, theirs.rate)
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-9)
        assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-9)
        assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-7)
    np.testing.assert_allclose(quadratic.vector, batches.vector, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_rule_trains_as_by_back_propagation(rule: Rule) -> None:
    plan = recipe(rule)
    assert_same_training(begin(plan, VALIDATION), BatchPath(Problem(NETWORK, TRAIN, VALIDATION, plan), START), 40)


@pytest.mark.parametrize("rule", [MAKE["Descent"](eta=0.001), MAKE["Adam"]()], ids=str)
@pytest.mark.parametrize("agg", ["mean", "sum"])
@pytest.mark.parametrize("layer", [Dense(3, 2), Dense(3, 2, bias=False), Chain((Chain((Dense(3, 2),)),))], ids=str)
def test_sums_layers_without_bias_and_chains_of_one_layer_train_as_well(layer: Any, agg: Any, rule: Rule) -> None:
    network, plan = Network(layer, "float64"), recipe(rule, loss=MSE(agg=agg))
    start = network.initial(3)
    quadratic = QuadraticPath(Problem(network, TRAIN, VALIDATION, plan), start)
    assert_same_training(quadratic, BatchPath(Problem(network, TRAIN, VALIDATION, plan), start), 40)


@pytest.mark.parametrize("rule", [MAKE["Descent"](), MAKE["Momentum"]()], ids=str)
@pytest.mark.parametrize("schedule", [Exp(start=0.1, decay=0.9), Plateau(start=0.5, decay=0.5, patience=3)], ids=str)
def test_schedules_are_followed_as_by_back_propagation(rule: Rule, schedule: Schedule) -> None:
    plan = recipe(rule, schedule=schedule)
    assert_same_training(begin(plan, VALIDATION), BatchPath(Problem(NETWORK, TRAIN, VALIDATION, plan), START), 40)


@pytest.mark.parametrize("rule", [MAKE["Descent"](), MAKE["Adam"]()], ids=str)
def test_standardised_inputs_are_learnt_from_as_by_back_propagation(rule: Rule) -> None:
    inputs = TRAIN.inputs[:].astype(np.float64)
    scaling = Coordinates(Scaling(inputs.mean(axis=0), inputs.std(axis=0)))
    plan = recipe(rule, standardise=True)
    quadratic = QuadraticPath(Problem(NETWORK, TRAIN, VALIDATION, plan), START, scaling)
    assert_same_training(quadratic, BatchPath(Problem(NETWORK, TRAIN, VALIDATION, plan), START, scaling), 40)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_momentum_agrees_with_steps_in_extended_precision(offset: float) -> None:
    problem = linear_problem(rows=200, columns=3, offset=offset, seed=4)
    rate = 0.1 / (1 + offset**2)
    network = Network(Dense(3, 1), "float64")
    start = np.concatenate([problem.weight.ravel(), problem.bias]) + 0.01
    path = QuadraticPath(
        Problem(network, part_of(problem), None, recipe(MAKE["Momentum"](eta=rate, rho=0.5), 60)), start
    )
    x = np.hstack([problem.inputs, np.ones((200, 1))]).astype(np.longdouble)
    y = problem.targets[:, 0].astype(np.longdouble)
    theta: NDArray[Any] = start.astype(np.longdouble)
    v: NDArray[Any] = np.zeros(4, np.longdouble)
    for report in reports(path, 60):
        # Parameters are doubles: their own rounding, times the inputs' size, is the floor of every loss.
        assert report.train_loss == pytest.approx(float(np.square(x @ theta - y).mean()), rel=1e-6)
        v = np.longdouble(0.5) * v + np.longdouble(rate) * 2 * (x @ theta - y) @ x / 200
        theta = theta - v


def test_the_tutorial_in_float32_comes_out_as_published() -> None:
    x = np.arange(6, dtype=np.float32)[:, None]
    start = np.array([0.9066542, 0], np.float32)
    path = QuadraticPath(Problem(Network(Dense(1, 1)), Part(x, 4 * x + 2), None, recipe(MAKE["Descent"](), 201)), start)
    losses = [report.train_loss for report in reports(path, 201)]
    assert [losses[0], losses[1]] == pytest.approx([122.64735, 116.38741], rel=1e-7)
    assert losses[201] == pytest.approx(0.003396, rel=1e-4)
    assert path.vector.dtype == np.float32
    np.testing.assert_allclose(path.vector, [4.01785, 2.00503], rtol=1e-5)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.optimiser} {case.schedule}")
def test_a_training_cut_anywhere_ends_with_the_same_bytes(case: Recipe) -> None:
    whole = begin(case, VALIDATION)
    expected = without_seconds(reports(whole, case.epochs))
    for cut in range(case.epochs + 2):
        first, second = begin(case, VALIDATION), begin(case, VALIDATION)
        before = list(islice((e for e in first.run(case.epochs) if isinstance(e, EpochReport)), cut))
        second.restore({name: array.copy() for name, array in first.state().items()})
        assert second.reported == first.reported
        assert second.vector.tobytes() == first.vector.tobytes()
        assert without_seconds(before + reports(second, case.epochs)) == expected
        assert second.vector.tobytes() == whole.vector.tobytes()


@pytest.mark.parametrize("schedule", [None, Exp(start=0.1, decay=0.8)], ids=str)
@pytest.mark.parametrize("rule", [MAKE["Descent"](eta=0.05), MAKE["Adam"]()], ids=str)
def test_a_changed_rate_holds_from_the_next_step_on_and_survives_a_cut(rule: Rule, schedule: Schedule | None) -> None:
    case = recipe(rule, 10, schedule=schedule)

    def changed_at_four(path: QuadraticPath | BatchPath) -> Iterator[EpochReport]:
        for event in path.run(case.epochs):
            assert isinstance(event, EpochReport)
            if event.epoch == 4:
                path.rate = 0.02
            yield event

    whole, batches = begin(case), BatchPath(Problem(NETWORK, TRAIN, None, case), START)
    expected = list(changed_at_four(whole))
    assert {report.rate for report in expected[5:]} == {0.02}
    for ours, theirs in zip(expected, changed_at_four(batches), strict=True):
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-9)
    for cut in range(5, 11):
        first, second = begin(case), begin(case)
        before = list(islice(changed_at_four(first), cut))
        second.restore(first.state())
        assert second.rate == 0.02
        assert without_seconds(before + reports(second, case.epochs)) == without_seconds(expected)
        assert second.vector.tobytes() == whole.vector.tobytes()


def test_a_rate_may_be_changed_before_the_first_epoch() -> None:
    slow = begin(recipe(MAKE["Descent"](eta=0.5)))
    slow.rate = 0.05
    assert reports(slow, 40)[-1].train_loss == reports(begin(recipe()), 40)[-1].train_loss


def losses_in_extended_precision(rule: Any, epochs: int) -> list[np.longdouble]:
    """Losses of Descent or Momentum from START on TRAIN, from epoch 0 on; a long double does not overflow here."""
    x = np.hstack([TRAIN.inputs[:], np.ones((len(TRAIN), 1))]).astype(np.longdouble)
    theta: NDArray[Any] = np.vstack([START[:6].reshape(3, 2), START[6:]]).astype(np.longdouble)
    v: NDArray[Any] = np.zeros_like(theta)
    losses = []
    for _ in range(epochs + 1):
        errors = x @ theta - TRAIN.targets
        losses.append(np.square(errors).mean())
        v = np.longdouble(getattr(rule, "rho", 0)) * v + np.longdouble(rule.eta) * 2 * x.T @ errors / errors.size
        theta = theta - v
    return losses


@pytest.mark.parametrize("rule", [MAKE["Descent"](eta=5.0), MAKE["Momentum"](eta=5.0)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_divergence_stops_before_the_update_that_would_not_be_finite(dtype: str, rule: Rule) -> None:
    network = Network(Dense(3, 2), dtype)
    path = QuadraticPath(Problem(network, TRAIN, None, recipe(rule, 2000)), START.astype(dtype))
    with pytest.raises(Diverged) as error:
        reports(path, 2000)
    assert error.value.epoch == path.reported + 1 > 10
    assert np.isfinite(path.vector).all()
    losses = losses_in_extended_precision(rule, error.value.epoch)
    # All arithmetic is float64, which must hold the sum of the squared errors; float32 need hold their mean alone.
    largest = np.longdouble(np.finfo(dtype).max) / (TRAIN.targets.size if dtype == "float64" else 1)
    assert losses[-2] <= largest < losses[-1]


@pytest.mark.parametrize("rule", [MAKE["Descent"](eta=5.0), MAKE["Momentum"](eta=5.0, rho=0.0)], ids=str)
def test_a_smaller_rate_at_the_last_moment_averts_divergence(rule: Rule) -> None:
    path = QuadraticPath(Problem(Network(Dense(3, 2)), TRAIN, None, recipe(rule, 2000)), START.astype(np.float32))
    with pytest.raises(Diverged) as error:
        reports(path, 2000)
    last = error.value.epoch - 1
    path = QuadraticPath(Problem(Network(Dense(3, 2)), TRAIN, None, recipe(rule, last + 5)), START.astype(np.float32))
    for event in path.run(last + 5):
        if isinstance(event, EpochReport) and event.epoch == last:
            path.rate = 1e-30
    assert path.reported == last + 5


def test_a_start_whose_loss_is_not_finite_has_diverged_at_epoch_0() -> None:
    for rule in (MAKE["Descent"](), MAKE["Adam"]()):
        path = QuadraticPath(Problem(Network(Dense(3, 2)), TRAIN, None, recipe(rule)), np.full(8, 1e30, np.float32))
        with pytest.raises(Diverged) as error:
            reports(path, 1)
        assert error.value.epoch == 0
