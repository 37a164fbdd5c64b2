"""Intervals around numbers and sets of classes that hold the true ones with a chance of at least their level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from service.confidence.calibration import quantiles_of, too_few
from service.confidence.leave_one_out import check_rows_of_jackknife, left_out, no_optimum
from service.database.database import Database
from service.errors import invalid
from service.http import media_types
from service.http.json_numbers import Array, JsonObject
from service.learning.confidence import conformal
from service.learning.confidence.conformal import JACKKNIFE_PLUS, Quantiles, rank
from service.learning.confidence.temperature import scores_at
from service.learning.planning.advice import Advice
from service.learning.rows.one_hot import Rows
from service.models.signature.class_answers import Classes as ClassAnswer
from service.models.trained_network import TrainedNetwork
from service.predictions.levels import NONE_ASKED, Levels
from service.storage.storage import Storage

Sets = list[list[str]] | list[list[bool]]


class Interval(NamedTuple):
    """The intervals around outputs (rows × outputs), in their dtype; nan around those of classes."""

    level: float
    method: str
    lower: Array
    upper: Array


@dataclass(frozen=True)
class Confidence:
    """Intervals and sets around the outputs of rows."""

    interval: Interval | None = None
    level: float | None = None
    sets: dict[str, Sets] | None = None
    """The labels of each row, by target."""
    chances: dict[str, tuple[float, Array]] = field(default_factory=dict)
    """The temperature of class targets that have one, and the probabilities that their sets are made of."""
    reused: bool = False

    def to_json(self, written: Callable[[Array | Sets], Any]) -> JsonObject:
        """Return the members that it adds to an answer; `written` is how an answer holds many rows."""
        answer: JsonObject = {}
        if self.interval is not None:
            level, method, lower, upper = self.interval
            bounds = {"lower": written(lower), "upper": written(upper)}
            answer["intervals"] = {"level": level, "method": method, **bounds}
        if self.sets is not None:
            answer["label_sets"] = {
                "level": self.level,
                "sets": _plain({name: written(each) for name, each in self.sets.items()}),
            }
            if self.chances:
                temperatures = {name: temperature for name, (temperature, _) in self.chances.items()}
                chances = {name: written(found) for name, (_, found) in self.chances.items()}
                answer["label_sets"] |= {"temperature": _plain(temperatures), "probabilities": _plain(chances)}
        if self.reused:
            answer["advice"] = [REUSED]
        return answer


def _outwards(bounds: Array, dtype: np.dtype[Any]) -> Array:
    """Return lower and upper bounds (2 × rows × outputs) in the outputs' dtype, none nearer to these than it was."""
    with np.errstate(over="ignore"):
        rounded: Array = bounds.astype(dtype)
    is_inside = np.empty(bounds.shape, np.bool_)
    np.greater(rounded[0], bounds[0], out=is_inside[0])
    np.less(rounded[1], bounds[1], out=is_inside[1])
    np.nextafter(rounded, _OUTWARDS.astype(dtype), out=rounded, where=is_inside)
    return rounded


_OUTWARDS = np.array([-np.inf, np.inf])[:, np.newaxis, np.newaxis]


def _plain(by_target: Mapping[str, Any]) -> Any:
    """Return the value of the one target, or those of several by their names."""
    return next(iter(by_target.values())) if len(by_target) == 1 else by_target


REUSED = Advice(
    "calibration_reused",
    "The training of this version, or one that it went on from, chose by the validation rows (early stopping, `keep`, "
    "Plateau, backoff, a sweep) or learnt from them: true values may be found less often than the level says. This "
    "cannot be so where a version was trained without these.",
    "#",
)


def confidence_of(
    database: Database,
    storage: Storage,
    trained: TrainedNetwork,
    levels: Levels,
    wanted: str,
    inputs: Rows,
    outputs: Array,
    classes: Sequence[ClassAnswer],
) -> Confidence | None:
    """Return how sure outputs (rows × outputs), and the `classes` that they mean, are, as far as a request asks for it.

    Raises:
        Invalid: the version has no numbers or no probabilities, no or too few rows of calibration, or the form of the
            answer has no room.
    """
    if levels == NONE_ASKED:
        return None
    pointer = "#/interval" if levels.interval else "#/sets"
    if wanted == media_types.NPY:
        raise invalid(pointer, "npy has room for raw outputs alone: accept JSON, CSV or Arrow.", "no_room")
    _check(trained, levels)
    interval, reused = None, False
    if levels.interval and levels.way == JACKKNIFE_PLUS:
        interval = _jackknife(database, storage, trained, levels.interval, inputs)
    elif levels.interval:
        found = quantiles_of(database, storage, trained, levels.interval, "#/interval", levels.way)
        margins = _margins(trained, found.values)
        bounds = outputs + np.array([-margins, margins], np.float64)[:, np.newaxis]
        interval = Interval(levels.interval, found.method, *_outwards(bounds, outputs.dtype))
        reused = found.reused
    if not levels.sets:
        return Confidence(interval, reused=reused)
    quantiles = quantiles_of(database, storage, trained, levels.sets, "#/sets")
    return Confidence(interval, levels.sets, *_sets(trained, quantiles, outputs, classes), reused or quantiles.reused)


def _jackknife(database: Database, storage: Storage, trained: TrainedNetwork, level: float, inputs: Rows) -> Interval:
    found = left_out(database, storage, trained)
    if found is None:
        raise no_optimum(trained)
    check_rows_of_jackknife(found)
    rows = len(found.part)
    if rank(rows, level) > rows:
        raise too_few(rows, rows, level, "#/interval", "training")
    bounds = np.array(found.bounds(inputs[:], level))
    return Interval(level, JACKKNIFE_PLUS, *_outwards(bounds, np.dtype(trained.network.dtype)))


def _check(trained: TrainedNetwork, levels: Levels) -> None:
    """Raise Invalid where there is nothing of the kind that is asked for."""
    signature = trained.signature
    if signature is None:
        return
    kinds = {target.kind for target in signature.targets}
    if levels.interval and "numeric" not in kinds:
        raise invalid("#/interval", 'All targets are classes: ask for "sets".', "no_numbers")
    if levels.sets and kinds == {"numeric"}:
        raise invalid("#/sets", 'No target is a class: ask for an "interval".', "no_classes")
    if levels.sets and signature.link is None:
        detail = "The loss of this version makes no probabilities, of which sets are made: train by logitcrossentropy."
        raise invalid("#/sets", detail, "no_probabilities")


def _margins(trained: TrainedNetwork, quantiles: Array) -> Array:
    """Return the quantile of each output; nan for those of classes."""
    assert trained.signature is not None
    targets = trained.signature.targets
    if all(each.kind == "numeric" for each in targets):
        return quantiles
    known = [quantile if each.kind == "numeric" else np.nan for each, quantile in zip(targets, quantiles, strict=True)]
    return np.repeat(known, [each.width for each in targets])


def _sets(
    trained: TrainedNetwork, quantiles: Quantiles, outputs: Array, classes: Sequence[ClassAnswer]
) -> tuple[dict[str, Sets], dict[str, tuple[float, Array]]]:
    """Return the sets of each class target, and temperature and probabilities of those that have a temperature."""
    assert trained.signature is not None
    found: dict[str, Sets] = {}
    tempered: dict[str, tuple[float, Array]] = {}
    answers, start = iter(classes), 0
    targets = zip(trained.signature.targets, quantiles.values, quantiles.temperatures, strict=True)
    for target, quantile, temperature in targets:
        if target.kind != "numeric":
            answer = next(answers)
            chances = answer.probabilities
            assert chances is not None
            if temperature != 1:
                own = outputs[:, start : start + target.width]
                chances = scores_at(own, trained.signature.link, temperature, boolean=target.kind == "boolean")
                tempered[target.name] = temperature, chances
            names: Sequence[Any] = answer.names
            found[target.name] = conformal.names_inside(conformal.in_set(chances, float(quantile)), names)
        start += target.width
    return found, tempered
