"""Going back: a training that would diverge goes on from its best parameters with a smaller rate."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.optimisers import OPTIMISERS, Descent, Momentum, Rprop, Rule
from service.learning.rows.part import Part
from service.learning.schedules import Exp, Plateau, Step
from service.learning.training.changes import Change, Place
from service.learning.training.events import BackedOff, Diverged, EpochReport, Progress
from service.learning.training.problem import Problem
from service.learning.training.recipe import Backoff, EarlyStopping, Recipe, RecipeError
from service.learning.training.training import Training
from tests.support.learning.networks import network

X = np.linspace(-3, 9, 14, dtype=np.float32).reshape(-1, 1)
LINE, BEHIND = Part(X, 4 * X + 2), Part(X[:5] + 0.5, 4 * X[:5] + 4)
RECIPE = Recipe(
    loss=MSE(),
    optimiser=Descent(0.3),
    epochs=150,
    batch_size=None,
    path="batches",
    backoff=Backoff(factor=0.3, tries=4),
)
BATCHES = replace(RECIPE, batch_size=5, shuffle=True, optimiser=Descent(0.2))
QUADRATIC = replace(RECIPE, path="quadratic")
TWO = "Chain(Dense(1 => 2), Dense(2 => 1))"

CASES = {
    "one batch a pass": RECIPE,
    "batches": BATCHES,
    "momentum": replace(BATCHES, optimiser=Momentum(0.15), backoff=Backoff(factor=0.1, tries=4)),
    "schedule": replace(BATCHES, schedule=Exp(0.3, 0.99)),
    "schedule by steps": replace(BATCHES, schedule=Step(0.3, 0.9, 100, per="step")),
    "schedule by steps, one batch a pass": replace(RECIPE, schedule=Step(0.3, 0.9, 40, per="step")),
    "plateau": replace(BATCHES, schedule=Plateau(0.3, patience=30)),
    "standardise": replace(BATCHES, standardise=True, optimiser=Descent(4.0)),
    "early stopping": replace(BATCHES, early_stopping=EarlyStopping(patience=140)),
    "closed form": QUADRATIC,
    "closed form, schedule": replace(QUADRATIC, schedule=Step(0.3, 0.9, 50)),
    "closed form, standardise": replace(QUADRATIC, standardise=True, optimiser=Descent(4.0)),
    "quadratic steps": replace(QUADRATIC, optimiser=Momentum(0.3)),
}


def new(recipe: Recipe, notation: str = "Dense(1 => 1)", changes: Sequence[Change] = ()) -> Training:
    net = network(notation, "float32")
    return Training(Problem(net, LINE, BEHIND, recipe), net.initial(0), changes=changes)


def told(event: EpochReport | Progress) -> EpochReport | Progress:
    return event._replace(seconds=0.0) if isinstance(event, EpochReport) else event


def events_of(training: Training) -> list[EpochReport | BackedOff]:
    return [told(event) for event in training.run() if isinstance(event, EpochReport | BackedOff)]  # type: ignore[misc]  # told() keeps the class


def outcome(training: Training) -> tuple[Any, ...]:
    arrays = {name: array.tobytes() for name, array in training.state().items()}
    return training.result().tobytes(), training.final_loss(), training.best, training.ended_by, arrays


@pytest.mark.parametrize("case", CASES)
def test_a_training_goes_back_and_on(case: str) -> None:
    """Each report comes once; the rate falls at each return; the end is good."""
    recipe = CASES[case]
    assert recipe.backoff is not None
    with pytest.raises(Diverged):
        events_of(new(replace(recipe, backoff=None)))
    training = new(recipe)
    events = events_of(training)
    reports = [event for event in events if isinstance(event, EpochReport)]
    returns = [event for event in events if isinstance(event, BackedOff)]
    assert [report.epoch for report in reports] == list(range(len(reports)))
    assert 1 <= len(returns) <= 4
    assert reports[-1].train_loss < 1
    for event in returns:
        at = events.index(event)
        before = [each for each in events[:at] if isinstance(each, EpochReport)]
        losses = [each.validation_loss or each.train_loss for each in before]
        assert event.epoch == before[-1].epoch
        assert event.from_epoch == losses.index(min(losses))
        assert event.detail.endswith("is no longer finite")
        assert event.rate is not None
        assert before[-1].rate is not None
        assert event.rate == pytest.approx(recipe.backoff.factor * before[-1].rate, rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_return_continues_to_the_same_bytes(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", -1.0)
    monkeypatch.setattr(Network, "block_rows", 3)
    first, events, states = new(CASES[case]), [], []
    for event in first.run():
        events.append(told(event))
        states.append(first.state())
    returns = [index for index, event in enumerate(events) if isinstance(event, BackedOff)]
    assert returns
    ends = returns[0], returns[-1]
    for index in {0, *(r + step for r in ends for step in (-1, 0, 2)), len(states) - 1}:
        training = new(CASES[case])
        training.restore(states[index])
        kinds = EpochReport | BackedOff
        rest = [event for event in events[index + 1 :] if isinstance(event, kinds)]
        assert events_of(training) == rest
        assert outcome(training) == outcome(first)


@pytest.mark.parametrize("case", CASES)
def test_changes_after_a_return_are_made_again(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places before and after a return differ, although epochs and rows are the same."""
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", -1.0)
    monkeypatch.setattr(Network, "block_rows", 3)
    first, made, events, since = new(CASES[case]), list[Change](), [], None
    places = []
    for event in first.run():
        events.append(told(event))
        if first.place is not None:
            places.append(first.place)
        if isinstance(event, BackedOff):
            since = 0
        if since is not None and first.place is not None and len(made) < 3:
            if since in (0, 2, 5):
                rate = CASES[case].optimiser.rate
                assert rate is not None
                made.append(first.change(rate=rate * (0.4, 0.02, 0.01)[len(made)]))
            since += 1
    assert len(made) == 3
    assert made[0].place.backoffs == 1
    assert len(set(places)) == len(places)
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", 1e9)
    again = new(CASES[case], changes=made)
    assert events_of(again) == [event for event in events if isinstance(event, EpochReport | BackedOff)]
    assert outcome(again) == outcome(first)


@pytest.mark.parametrize("recipe", [RECIPE, QUADRATIC], ids=["batches", "closed form"])
def test_what_follows_a_return_is_a_fresh_training_from_the_best(recipe: Recipe) -> None:
    training, best = new(recipe), None
    vectors: list[Array] = []
    found: list[EpochReport | BackedOff] = []
    for event in training.run():
        if isinstance(event, EpochReport):
            vectors.append(training.parameters)
        if isinstance(event, BackedOff) and best is None:
            best = event
            assert np.array_equal(training.parameters, vectors[event.from_epoch])
        elif best is not None and isinstance(event, EpochReport):
            found.append(event)
    assert best is not None
    assert best.rate is not None
    fresh = replace(recipe, optimiser=Descent(best.rate), epochs=3, backoff=None)
    net = network("Dense(1 => 1)", "float32")
    expected = events_of(Training(Problem(net, LINE, BEHIND, fresh), vectors[best.from_epoch]))[1:]
    for one, other in zip(found[:3], expected, strict=True):
        assert isinstance(one, EpochReport)
        assert isinstance(other, EpochReport)
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-5)


@pytest.mark.parametrize("recipe", [RECIPE, BATCHES, QUADRATIC])
def test_after_its_tries_a_training_diverges(recipe: Recipe) -> None:
    training, seen = new(replace(recipe, backoff=Backoff(factor=0.999, tries=2))), list[EpochReport | Progress]()
    with pytest.raises(Diverged):
        seen.extend(training.run())
    count = sum(isinstance(event, BackedOff) for event in seen)
    assert count == 2
    assert np.isfinite(training.parameters).all()


def test_a_first_loss_that_is_not_finite_is_no_reason_to_go_back() -> None:
    net = network("Dense(1 => 1)", "float32")
    for recipe in (RECIPE, BATCHES, QUADRATIC):
        training = Training(Problem(net, LINE, None, recipe), np.array([1e38, 0.0]))
        with pytest.raises(Diverged, match="begins from"):
            events_of(training)


def test_a_rate_set_on_the_way_is_lowered_too() -> None:
    training = new(replace(RECIPE, optimiser=Descent(0.001), schedule=Exp(0.001, 0.999)))
    rates = []
    for event in training.run():
        if isinstance(event, EpochReport) and event.epoch == 10:
            training.change(rate=0.5)
        if isinstance(event, BackedOff):
            rates.append(event.rate)
    assert rates == pytest.approx([0.15, 0.045])


def test_a_return_brings_back_layers_frozen_since() -> None:
    """The best epoch is a whole: a layer frozen after it goes back with all others."""
    training = new(replace(RECIPE, optimiser=Descent(0.05)), TWO)
    vectors, back = [], None
    for event in training.run():
        if isinstance(event, EpochReport):
            vectors.append(training.parameters)
            if event.epoch == 3:
                training.change(frozen=("layers.0",))
        elif isinstance(event, BackedOff):
            back = event
            break
    assert back is not None
    assert np.array_equal(training.parameters, vectors[back.from_epoch])


@pytest.mark.parametrize(
    ("rule", "backoff", "field"),
    [
        (Rprop(), Backoff(), "backoff"),
        (OPTIMISERS["AdaDelta"](), Backoff(), "backoff"),
        (OPTIMISERS["WeightDecay"](), Backoff(), "backoff"),
        (Descent(), Backoff(factor=1.0), "backoff/factor"),
        (Descent(), Backoff(factor=0.0), "backoff/factor"),
        (Descent(), Backoff(factor=float("nan")), "backoff/factor"),
        (Descent(), Backoff(tries=0), "backoff/tries"),
        (Descent(), Backoff(tries=101), "backoff/tries"),
    ],
    ids=repr,
)
def test_a_backoff_that_could_not_help_is_refused(rule: Rule, backoff: Backoff, field: str) -> None:
    with pytest.raises(RecipeError) as caught:
        new(replace(RECIPE, optimiser=rule, backoff=backoff))
    assert caught.value.field == field


def test_a_stop_right_after_a_return_keeps_its_parameters() -> None:
    training, made = new(RECIPE), None
    for event in training.run():
        if isinstance(event, BackedOff):
            made = training.stop()
    assert training.ended_by == "stop"
    assert made == Change(Place(training.epochs_done, 0, 1), stop="stop")
    again = new(RECIPE, changes=[made])
    events_of(again)
    assert outcome(again) == outcome(training)
