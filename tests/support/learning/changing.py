"""Trainings that tests change on their way, of every kind, and all that can be compared of a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from service.learning.arrays import State
from service.learning.losses import MSE
from service.learning.optimisers import OPTIMISERS, Adam, Descent
from service.learning.schedules import Exp, Plateau
from service.learning.training.changes import Change, Place
from service.learning.training.events import EpochReport, Progress
from service.learning.training.problem import Problem
from service.learning.training.recipe import EarlyStopping, Recipe
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem

RECIPE = Recipe(loss=MSE(), optimiser=Adam(0.02), epochs=5, batch_size=7, shuffle=True, seed=7, path="batches")
PLAIN = replace(RECIPE, optimiser=Descent(0.05))
FULL = replace(RECIPE, batch_size=None)
QUADRATIC = replace(PLAIN, path="quadratic", batch_size=None, epochs=12)
THREE = "Chain(Dense(3 => 5, tanh), Dense(5 => 4, tanh), Dense(4 => 2))"
NORMALISED = "Chain(Dense(3 => 5), BatchNorm(5, tanh), Dropout(0.2), Dense(5 => 2))"
DROPPING = "Chain(Dense(3 => 5), Dropout(0.2), Dense(5 => 2))"
LINEAR = "Dense(3 => 2)"
CLIPPED = OPTIMISERS["OptimiserChain"](  # type: ignore[call-arg]  # fields of its class
    rules=(OPTIMISERS["ClipGlobalNorm"](omega=0.5), OPTIMISERS["AccumGrad"](n=2), OPTIMISERS["Momentum"](eta=0.05))  # type: ignore[call-arg]  # fields of its class
)

CASES = {
    "descent": (THREE, PLAIN),
    "adam": (THREE, RECIPE),
    "chain": (THREE, replace(RECIPE, optimiser=CLIPPED)),
    "adam, batches of several blocks and a rest": (THREE, replace(RECIPE, batch_size=9)),
    "adam, one batch a pass": (THREE, FULL),
    "descent, one batch a pass": (THREE, replace(FULL, optimiser=Descent(0.05), keep="best")),
    "no rest": (THREE, replace(RECIPE, partial=False, batch_size=5)),
    "rows one by one": (THREE, replace(RECIPE, batch_size=1, epochs=2)),
    "schedule": (THREE, replace(RECIPE, schedule=Exp(0.05, 0.5))),
    "schedule by steps": (THREE, replace(RECIPE, schedule=Exp(0.05, 0.9, per="step"))),
    "plateau": (THREE, replace(FULL, schedule=Plateau(0.05, patience=1, min_change=1.0))),
    "norm": (NORMALISED, RECIPE),
    "norm, one batch a pass": (NORMALISED, FULL),
    "dropout, one batch a pass": (DROPPING, FULL),
    "standardise": (THREE, replace(RECIPE, standardise=True)),
    "standardise, one batch a pass": (THREE, replace(FULL, standardise=True)),
    "standardise both": (THREE, replace(RECIPE, standardise="both")),
    "standardise targets, one batch a pass": (LINEAR, replace(FULL, standardise="targets")),
    "early stopping": (THREE, replace(RECIPE, early_stopping=EarlyStopping(patience=2, min_change=1e-2), epochs=30)),
    "closed form": (LINEAR, QUADRATIC),
    "closed form, schedule": (LINEAR, replace(QUADRATIC, schedule=Exp(0.05, 0.9))),
    "quadratic steps": (LINEAR, replace(QUADRATIC, optimiser=Adam(0.05))),
    "quadratic, standardise": (LINEAR, replace(QUADRATIC, standardise=True)),
}


def new(case: str, changes: Sequence[Change] = ()) -> Training:
    notation, recipe = CASES[case]
    net = network(notation, "float32")
    parts = problem(14, dtype="float32"), problem(5, dtype="float32", seed=1)
    return Training(Problem(net, *parts, recipe), net.initial(0), changes=changes)


def told(event: EpochReport | Progress) -> EpochReport | Progress:
    return event._replace(seconds=0.0) if isinstance(event, EpochReport) else event


def outcome(training: Training) -> tuple[Any, ...]:
    state = training.state()
    return (
        training.parameters.tobytes(),
        training.result().tobytes(),
        training.final_loss(),
        training.best,
        training.ended_by,
        {name: array.tobytes() for name, array in state.items()},
    )


@dataclass
class Run:
    """A run to the end: its reports, and all states that were taken, each with the number of reports before it."""

    reports: list[EpochReport | Progress]
    states: list[tuple[int, State]]
    places: list[Place]
    outcome: tuple[Any, ...]


def run(training: Training, act: Callable[[Training, int], None] = lambda training, index: None) -> Run:
    seen: list[EpochReport | Progress] = []
    states, places = [], []
    for index, event in enumerate(training.run()):
        if isinstance(event, EpochReport):
            seen.append(told(event))
        states.append((len(seen), training.state()))
        if training.place is not None:
            places.append(training.place)
        act(training, index)
        states.append((len(seen), training.state()))
    return Run(seen, states, places, outcome(training))


def at_every_block(monkeypatch: pytest.MonkeyPatch, often: bool = True) -> None:
    monkeypatch.setattr("service.learning.training.events.HEARTBEAT_SECONDS", -1.0 if often else 1e9)
