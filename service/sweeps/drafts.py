"""Drafts of sweeps: every trial checked and planned before a row is written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from service.database.database import Database
from service.datasets import records as datasets
from service.errors import DescentError, Fault, invalid
from service.http.json_bodies import validated
from service.http.json_numbers import JsonObject
from service.jobs import drafts as jobs
from service.jobs.checks.allowed import Allowed
from service.jobs.drafts import Draft
from service.jobs.recipe_schemas import NewJob
from service.jobs.shared_recipe import check_own_fields, job_of
from service.learning.planning.advice import Advice
from service.learning.planning.folded_epochs import MOST_SECONDS
from service.models.blueprints import Blueprint, Largest, blueprint
from service.models.networks import Networks
from service.models.schemas import NewModel
from service.models.trained_network import TrainedNetwork
from service.pointers import reference_at
from service.settings import Settings
from service.storage.storage import Storage
from service.sweeps.axes import ARCHITECTURE, Axis, Between, Listed, Varied, draws, grid, grid_size, recipe_of
from service.sweeps.records import SweepPlan
from service.sweeps.rungs import epochs_at_most, rungs_of
from service.sweeps.schemas import NewSweep

NO_MODEL = "-"
"""A reference that stands for a model to be made."""
GOLDEN = 0.6180339887498949
"""The place between two ends of a number that is hardly ever a whole one."""
SUGGESTED = 5
"""Values that a message names in place of a range."""
FOLD_SECONDS = 20.0
"""An estimate of the time that the folds of all trials with chosen recipes may take: a request waits for them."""
MOST_SHOWN = 300
"""Characters of the values of a trial in a message."""


@dataclass(frozen=True)
class Trial:
    """A trial that could be created."""

    varied: Varied
    draft: Draft
    blueprint: Blueprint | None
    """The network of its own, where the architecture varies."""


@dataclass(frozen=True)
class SweepDraft:
    """A sweep that could be created."""

    new: NewSweep
    trials: Sequence[Trial]
    rungs: list[int]
    plan: SweepPlan
    advice: list[Advice]


@dataclass(frozen=True)
class Ground:
    """All that drafting needs of the service."""

    database: Database
    storage: Storage
    networks: Networks
    settings: Settings
    submitter: str = ""


def draft(ground: Ground, new: NewSweep) -> SweepDraft:
    """Check and plan every trial.

    Raises:
        NotFound: model, version or dataset; with its pointer.
        Conflict: the dataset is loading.
        Invalid: a place is no field of a recipe, a trial is impossible, or there is no loss to rank by.
    """
    check_own_fields(new.recipe)
    _check_monitor(ground.database, new)
    varied = _varied(new)
    fold_seconds = min(MOST_SECONDS, FOLD_SECONDS / len(varied))
    made = [_trial(ground, new, each, fold_seconds) for each in varied]
    epochs = [each.draft.recipe.epochs for each in made]
    rungs = rungs_of(max(epochs)) if new.method == "asha" else []
    if rungs and len(set(epochs)) > 1:
        detail = "`asha` compares trials after the same epochs: let `grid` or `random` vary them."
        raise invalid("#/vary/epochs", detail, "impossible_vary")
    rungs = rungs if len(rungs) > 1 else []
    plans = [each.draft.plan for each in made]
    total = sum(epochs)
    most = epochs_at_most(len(made), rungs) if rungs else total
    seconds = sum(plan.seconds for plan in plans) * most / total
    plan = SweepPlan(len(made), most, seconds, sum(plan.bytes or 0 for plan in plans))
    return SweepDraft(new, made, rungs, plan, _gathered(made))


def _check_monitor(database: Database, new: NewSweep) -> None:
    with database.reading() as session, reference_at("#/dataset"):
        dataset = datasets.find_ready(session, new.dataset)
    draws = new.recipe.get("validation") is not None
    if new.monitor == "validation_loss" and not dataset.validation_rows and not draws:
        detail = (
            f"Dataset {dataset.name!r} has no validation part to rank trials by: create it with one, such as "
            '"split": {"validation": {"fraction": 0.2}}, send "validation": {"fraction": 0.2} in the recipe, or '
            '"monitor": "train_loss".'
        )
        raise invalid("#/monitor", detail, "no_validation_part")


def _varied(new: NewSweep) -> list[Varied]:
    """Return the values of each trial."""
    axes = {place: _whole_where_asked(new, place, axis) for place, axis in new.axes().items()}
    if new.method != "grid":
        return draws(axes, new.trials, new.seed)
    listed: dict[str, Listed] = {}
    for place, axis in axes.items():
        if isinstance(axis, Between):
            detail = (
                f'A grid takes values one by one: send {{"values": {axis.spread(SUGGESTED)}}}, or "method": "random".'
            )
            raise invalid(f"#/vary/{place}", detail, "impossible_vary")
        listed[place] = axis
    if (size := grid_size(listed)) > new.trials:
        detail = (
            f'This grid has {size:,} trials, and "trials" allows {new.trials:,}: name fewer values, or send '
            '"method": "random".'
        )
        raise invalid("#/trials", detail, "too_many_trials")
    return grid(listed)


def _whole_where_asked(new: NewSweep, place: str, axis: Axis) -> Axis:
    """Return the numbers of an axis as whole ones where its place takes no others."""
    if isinstance(axis, Listed):
        return axis
    try:
        _job_of(new, {place: axis.low + (axis.high - axis.low) * GOLDEN})
    except DescentError as error:
        if any("integer" in fault.detail or "whole" in fault.detail for fault in error.errors):
            return replace(axis, whole=True)
    return axis


def _job_of(new: NewSweep, varied: Varied) -> NewJob:
    """Return the job of a trial, as a client would have written it; ranked by the loss of validation rows it keeps the
    best epoch, unless the recipe says what it keeps, or is chosen.
    """
    try:
        recipe = recipe_of(new.recipe, varied)
    except (LookupError, ValueError, TypeError):
        place = next(place for place in varied if place != ARCHITECTURE)
        detail = f"The recipe has no place {place}: places are fields such as epochs, optimiser.eta or loss.delta."
        raise invalid(f"#/vary/{place}", detail, "impossible_vary") from None
    if new.monitor == "validation_loss" and recipe.get("recipe") is None:
        recipe.setdefault("keep", "best")
    with _at_their_places(varied):
        return job_of(recipe, new.model or NO_MODEL, new.dataset)


def _trial(ground: Ground, new: NewSweep, varied: Varied, fold_seconds: float) -> Trial:
    job = _job_of(new, varied)
    settings = ground.settings
    given = ground.database, ground.storage, ground.networks, job, Allowed.by(settings), ground.submitter
    made = start = None
    if ARCHITECTURE in varied:
        made = _blueprint(ground, new, varied[ARCHITECTURE])
        start = TrainedNetwork(NO_MODEL, 0, None, True, made.network, made.vector)
    with _at_their_places(varied):
        return Trial(varied, jobs.draft(*given, start=start, fold_seconds=fold_seconds), made)


def _blueprint(ground: Ground, new: NewSweep, architecture: JsonObject) -> Blueprint:
    with _at_their_places({ARCHITECTURE: architecture}):
        model = validated(TypeAdapter(NewModel), {"architecture": architecture, "seed": new.seed})
        return blueprint(model, Largest.by(ground.settings))


@contextmanager
def _at_their_places(varied: Varied) -> Iterator[None]:
    """Move the pointers of faults from a trial's job to the sweep, and say which values the trial has."""
    try:
        yield
    except DescentError as error:
        error.errors = tuple(Fault(_place(each.pointer, varied), each.detail) for each in error.errors)
        if any(each.pointer.startswith("#/vary") for each in error.errors):
            values = ", ".join(f"{place} {value!r}" for place, value in varied.items())
            error.detail = f"{error.detail} (In the trial with {values[:MOST_SHOWN]}.)"
        raise


def _place(pointer: str, varied: Varied) -> str:
    if pointer in ("#/dataset", "#/model") or pointer.startswith(("#/vary", "#/recipe")):
        return pointer
    path = pointer.removeprefix("#/").replace("/", ".")
    near = [place for place in varied if path == place or path.startswith(f"{place}.") or place.startswith(f"{path}.")]
    return f"#/vary/{near[0]}" if near else f"#/recipe/{pointer.removeprefix('#/')}"


def _gathered(trials: Sequence[Trial]) -> list[Advice]:
    """Return the advice of all trials, each kind once, with the number of trials that it concerns."""
    kinds: dict[tuple[str, str], list[tuple[Trial, Advice]]] = {}
    for trial in trials:
        for each in trial.draft.advice:
            kinds.setdefault((each.code, each.pointer), []).append((trial, each))
    told = []
    for (code, pointer), found in kinds.items():
        trial, advice = found[0]
        where = "" if len(found) == len(trials) else f" ({len(found)} of {len(trials)} trials.)"
        told.append(Advice(code, f"{advice.detail}{where}", _place(pointer, trial.varied)))
    return told
