"""A training after which all rows are learnt for as many epochs as were best."""

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import State
from service.learning.losses import MSE
from service.learning.optimisers import Adam
from service.learning.rows.part import Part
from service.learning.schedules import Plateau
from service.learning.training import refit
from service.learning.training.batches import path
from service.learning.training.changes import Change
from service.learning.training.events import EpochReport, Refit
from service.learning.training.measuring import measure_loss
from service.learning.training.problem import Problem
from service.learning.training.recipe import Average, EarlyStopping, Recipe, RecipeError
from service.learning.training.refit import RefitTraining, recipe_of_all, training_of
from service.learning.training.training import Training
from tests.support.learning.changing import at_every_block
from tests.support.learning.networks import network

NET = network("Chain(Dense(1 => 8, tanh), Dense(8 => 1))", "float32")
RECIPE = Recipe(
    loss=MSE(),
    optimiser=Adam(0.05),
    epochs=60,
    batch_size=4,
    shuffle=True,
    schedule=Plateau(0.05, 0.5, 2),
    standardise="both",
    early_stopping=EarlyStopping(patience=4),
    average=Average(decay=0.9),
    refit=True,
)


def parts() -> tuple[Part, Part, Part]:
    """Rows to learn from, rows to watch, and both."""
    x = np.linspace(-2, 2, 30, dtype=np.float32).reshape(-1, 1)
    y = 5 + np.sin(2 * x) + 0.3 * np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    watched = np.arange(30) % 5 == 0
    chosen = ~watched, watched, np.ones(30, bool)
    train, validation, whole = (Part(x[rows], y[rows]) for rows in chosen)
    return train, validation, whole


def begun(changes: Sequence[Change] = ()) -> RefitTraining:
    train, validation, whole = parts()
    training = training_of(Problem(NET, train, validation, RECIPE, whole), NET.initial(0), fresh=True, changes=changes)
    assert isinstance(training, RefitTraining)
    return training


def run(training: Training) -> Training:
    for _ in training.run():
        pass
    return training


@pytest.fixture
def at_every_event(monkeypatch: pytest.MonkeyPatch) -> None:
    at_every_block(monkeypatch)


def test_all_rows_train_for_as_many_epochs_as_were_best() -> None:
    train, validation, whole = parts()
    first = run(Training(Problem(NET, train, validation, RECIPE), NET.initial(0), fresh=True))
    training = begun()
    reports = [event for event in training.run() if isinstance(event, EpochReport)]
    assert training.best is not None
    assert (training.best, reports[-1].epoch, training.ended_by) == (first.best, first.epochs_done, "early_stopping")
    assert training.chosen is not None
    assert training.chosen.vector.tobytes() == first.result().tobytes()

    alone = replace(RECIPE, epochs=training.best[0], schedule=None, early_stopping=None, refit=False)
    second = run(Training(Problem(NET, whole, None, alone), NET.initial(0), fresh=True))
    assert training.result().tobytes() == second.result().tobytes()


@pytest.mark.usefixtures("at_every_event")
def test_a_refit_goes_on_to_the_same_bytes_from_any_state() -> None:
    whole = begun()
    states = [whole.state() for _ in whole.run()]
    seconds = [state for state in states if any(name.startswith("refit.") for name in state)]
    assert len(seconds) > 5
    for state in [*states[:: len(states) // 5], *seconds[:: len(seconds) // 5]]:
        other = begun()
        other.restore(state)
        assert run(other).result().tobytes() == whole.result().tobytes()
        assert (other.final_loss(), other.best, other.ended_by) == (whole.final_loss(), whole.best, whole.ended_by)


@pytest.mark.usefixtures("at_every_event")
@pytest.mark.parametrize("second", [False, True])
def test_a_training_that_is_stopped_keeps_the_best_and_can_be_repeated(second: bool) -> None:
    training, made, state = begun(), list[Change](), {}
    for _ in training.run():
        learns_all = any(name.startswith("refit.") for name in training.state())
        if not made and training.epochs_done >= 3 and learns_all == second:
            change = training.stop()
            assert change is not None
            made.append(change)
            state = training.state()
    assert training.ended_by == "stop"
    assert training.chosen is not None
    assert training.result().tobytes() == training.chosen.vector.tobytes()
    resumed = begun(made)
    resumed.restore(state)
    for again in (begun(made), resumed):
        assert run(again).result().tobytes() == training.result().tobytes()
        assert again.ended_by == "stop"


def test_the_second_training_measures_no_losses_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = list[int]()

    def measuring(problem: Problem, part: Part, *rest: Any) -> Generator[float, None, float]:
        measured.append(len(part))
        return measure_loss(problem, part, *rest)

    monkeypatch.setattr(path, "measure_loss", measuring)
    training = run(begun())
    reported = training.epochs_done + 1
    assert sorted(measured) == [6] * reported + [24] * reported + [30]  # at the start, where no pass has told a loss


def test_a_state_of_a_second_training_that_diverged_begins_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(recipe: Recipe, epochs: int) -> Recipe:
        return replace(recipe_of_all(recipe, epochs), optimiser=Adam(1e38))

    monkeypatch.setattr(refit, "recipe_of_all", diverging)
    training, reasons, states = begun(), list[str | None](), list[State]()
    for event in training.run():
        if isinstance(event, Refit):
            reasons.append(event.reason)
            states.append(training.state())
    assert training.chosen is not None
    assert (reasons[0], training.second, len(reasons)) == (None, None, 2)
    assert "diverged" in str(reasons[1])
    for state in states:
        other = begun()
        other.restore(state)
        told = [event.reason for event in other.run() if isinstance(event, Refit)]
        assert told[-1] == reasons[1]
        assert other.result().tobytes() == training.chosen.vector.tobytes()
    assert not any(name.startswith("refit.") for name in states[1])


def test_a_refit_needs_rows_that_choose_an_epoch() -> None:
    train, validation, whole = parts()
    for held, recipe in ((None, RECIPE), (validation, replace(RECIPE, early_stopping=None))):
        with pytest.raises(RecipeError):
            training_of(Problem(NET, train, held, recipe, whole), NET.initial(0))
