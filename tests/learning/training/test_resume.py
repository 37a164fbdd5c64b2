"""A training continues from its state to the bytes of one that never stopped."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array, State
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.optimisers import LBFGS, Adam, Muon, Rule
from service.learning.rows.one_hot import OneHotRows
from service.learning.rows.part import Part
from service.learning.schedules import Exp, Plateau
from service.learning.training.changes import Change
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import Average, EarlyStopping, Recipe
from service.learning.training.training import Training
from tests.support.learning.networks import LAYERS, all_rules, network, problem

RECIPE = Recipe(loss=MSE(), optimiser=Adam(0.02), epochs=4, batch_size=4, shuffle=True, seed=7, path="batches")
STOPS = 9
"""Places of a run from which another one goes on."""
TANH = "Chain(Dense(3 => 5, tanh), Dense(5 => 2))"


def new(net: Network, recipe: Recipe, changes: Sequence[Change] = ()) -> Training:
    part = problem(14, dtype=net.dtype)
    weighted = Part(part.inputs, part.targets, np.linspace(1, 2, 14).astype(net.dtype))
    return Training(
        Problem(net, weighted, problem(5, dtype=net.dtype, seed=1), recipe), net.initial(0), changes=changes
    )


def new_with_classes(net: Network, recipe: Recipe) -> Training:
    """A training in which two of three inputs are the places of a code, and so are both outputs."""

    def part(rows: int) -> Part:
        codes: Array = np.column_stack([np.linspace(-1, 1, rows), np.arange(rows) % 2])
        return Part(OneHotRows(codes, [None, 2], net.dtype), OneHotRows(codes[::-1, 1:], [2], net.dtype))

    return Training(Problem(net, part(14), part(5), recipe), net.initial(0))


def new_with_codes(net: Network, recipe: Recipe) -> Training:
    """A training of which two of four columns travel as codes."""

    def part(rows: int) -> Part:
        columns = np.linspace(-1, 1, rows), np.arange(rows) * 7 % 70, np.arange(rows) % 2, np.arange(rows) * 5 % 66
        return Part(OneHotRows(np.column_stack(columns), [None, 70, None, 66], net.dtype), problem(rows).targets)

    return Training(Problem(net, part(14), part(5), recipe), net.initial(0))


def outcome(training: Training) -> tuple[Any, ...]:
    """All that may be compared: losses, the result's bytes, the state."""
    return (
        training.parameters.tobytes(),
        training.result().tobytes(),
        training.final_loss(),
        training.initial_loss,
        training.best,
        training.ended_by,
    )


def told(report: EpochReport) -> EpochReport:
    return report._replace(seconds=0.0)


def check_every_stop(
    net: Network, recipe: Recipe, new: Callable[[Network, Recipe], Training] = new, stops: slice = slice(None)
) -> None:
    """Stop at events throughout a whole run, or at some of these; continue in a new training each time."""
    whole = new(net, recipe)
    states: list[State] = []
    events = []
    for event in whole.run():
        states.append(whole.state())
        events.append(event)
    places = np.linspace(0, len(states) - 1, STOPS).astype(int)  # of all kinds: steps of one size meet few
    for index in places[stops]:
        training = new(net, recipe)
        training.restore(states[index])
        rest = [told(event) for event in training.run() if isinstance(event, EpochReport)]
        expected = [told(event) for event in events[index + 1 :] if isinstance(event, EpochReport)]
        assert rest == expected
        assert outcome(training) == outcome(whole)


@pytest.fixture(autouse=True)
def _always_something_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of rows ends in an event, so that stops come inside epochs, batches and evaluations too."""
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", -1.0)
    monkeypatch.setattr(Network, "block_rows", 3)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
@pytest.mark.parametrize(("dtype", "stops"), [("float32", slice(0, None, 2)), ("float64", slice(1, None, 2))])
def test_with_every_rule(rule: Rule, dtype: str, stops: slice) -> None:
    """Either dtype stops where the other does not: a rule's state is of one kind in both."""
    check_every_stop(network(TANH, dtype), replace(RECIPE, optimiser=rule), stops=stops)


def test_with_steps_of_hidden_weights() -> None:
    deep = "Chain(Dense(3 => 5, tanh), Dense(5 => 4, tanh), Dense(4 => 2))"
    check_every_stop(network(deep, "float32"), replace(RECIPE, optimiser=Muon(), frozen=("layers.2",)))


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS.keys())
def test_with_every_layer(layers: str) -> None:
    check_every_stop(network(layers.format("tanh"), "float32"), replace(RECIPE, average=Average(decay=0.7)))


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": None},
        {"batch_size": 1},
        {"batch_size": 4, "partial": False},
        {"shuffle": False},
        {"standardise": True},
        {"standardise": True, "batch_size": None},
        {"keep": "best"},
        {"frozen": ("layers.0",)},
        {"frozen": ("layers.1",), "batch_size": None},
        {"average": Average(decay=0.8)},
        {"average": Average(decay=0.8), "batch_size": None, "standardise": True},
        {"average": Average(decay=0.8), "frozen": ("layers.0",), "early_stopping": EarlyStopping(patience=2)},
        {"schedule": Exp(0.05, 0.5)},
        {"schedule": Exp(0.05, 0.9, per="step")},
        {"schedule": Plateau(0.05, patience=1, min_change=1.0)},
        {"early_stopping": EarlyStopping(patience=2, min_change=1e-3), "epochs": 30},
    ],
    ids=str,
)
def test_with_every_kind_of_recipe(changes: dict[str, Any]) -> None:
    check_every_stop(network(TANH, "float32"), replace(RECIPE, **changes))


@pytest.mark.parametrize(
    ("notation", "changes"),
    [
        (TANH, {}),
        (TANH, {"standardise": True}),
        (TANH, {"batch_size": None}),
        ("Dense(3 => 2)", {"batch_size": None, "path": "quadratic"}),
    ],
    ids=str,
)
def test_with_columns_of_classes(notation: str, changes: dict[str, Any]) -> None:
    check_every_stop(network(notation, "float32"), replace(RECIPE, **changes), new_with_classes)


@pytest.mark.parametrize(
    "changes",
    [{"batch_size": 6}, {"batch_size": None, "standardise": True}, {"optimiser": LBFGS(), "epochs": 3}],
    ids=str,
)
def test_with_categories_that_travel_as_codes(changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.learning.network.CACHE_BYTES", 1)
    monkeypatch.setattr("service.learning.network.USEFUL_ROWS", 3)
    given: dict[str, Any] = {"batch_size": None, "path": None} if "optimiser" in changes else {}
    deep = network("Chain(Dense(138 => 5, tanh), Dense(5 => 2))", "float32")
    check_every_stop(deep, replace(RECIPE, **given, **changes), new_with_codes)


def test_with_a_rate_that_was_changed() -> None:
    net, recipe = network(TANH), replace(RECIPE, schedule=Exp(0.05, 0.5))
    whole = new(net, recipe)
    state: State = {}
    changes: list[Change] = []
    for event in whole.run():
        if isinstance(event, EpochReport) and event.epoch == 1:
            changes.append(whole.change(rate=0.5))
            state = whole.state()
    training = new(net, recipe, changes)
    training.restore(state)
    list(training.run())
    assert outcome(training) == outcome(whole)


def test_a_state_is_not_touched_by_the_training_that_gave_it() -> None:
    training = new(network(TANH), RECIPE)
    events = training.run()
    next(events)
    state = training.state()
    before = {name: array.copy() for name, array in state.items()}
    list(events)
    assert all(np.array_equal(state[name], before[name]) for name in before)


@pytest.mark.parametrize("seed", [0, 1, 2**53 - 1])
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(seed: int) -> None:
    net = network("Chain(Dense(3 => 5, tanh), Dropout(0.2), Dense(5 => 2))", "float32")
    results = []
    for each in (seed, seed, seed + 1 if seed < 2**53 - 1 else 0):
        training = new(net, replace(RECIPE, seed=each))
        list(training.run())
        results.append(training.result().tobytes())
    assert results[0] == results[1]
    assert results[0] != results[2]
