"""Intervals around numbers and sets of classes that hold the true ones with a chance of at least their level."""

from collections.abc import Mapping, Sequence
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
from service.learning.evaluation.evaluation import Classes
from service.learning.planning.advice import Advice
from service.learning.rows.one_hot import Rows
from service.models.trained_network import TrainedNetwork
from service.predictions.schemas import NewPrediction
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

    def to_json(self) -> JsonObject:
        """Return the members that it adds to an answer."""
        answer: JsonObject = {}
        if self.interval is not None:
            answer["intervals"] = self.interval._asdict()
        if self.sets is not None:
            answer["label_sets"] = {"level": self.level, "sets": _plain(self.sets)}
            if self.chances:
                temperatures = {name: temperature for name, (temperature, _) in self.chances.items()}
                chances = {name: found for name, (_, found) in self.chances.items()}
                answer["label_sets"] |= {"temperature": _plain(temperatures), "probabilities": _plain(chances)}
        if self.reused:
            answer["advice"] = [REUSED]
        return answer


def _rounded(bounds: Array, dtype: np.dtype[Any], outwards: float) -> Array:
    """Return bounds in the outputs' dtype, none of them nearer to these than it was."""
    with np.errstate(over="ignore"):
        rounded: Array = bounds.astype(dtype)
    inside = rounded > bounds if outwards < 0 else rounded < bounds
    rounded[inside] = np.nextafter(rounded[inside], dtype.type(outwards))
    return rounded


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
    new: NewPrediction,
    wanted: str,
    inputs: Rows,
    outputs: Array,
) -> Confidence | None:
    """Return how sure outputs (rows × outputs) are, as far as a request asks for it.

    Raises:
        Invalid: the version has no numbers or no probabilities, no or too few rows of calibration, or the form of the
            answer has no room.
    """
    if not new.asks_how_sure:
        return None
    pointer = "#/interval" if new.interval else "#/sets"
    if wanted == media_types.NPY:
        raise invalid(pointer, "npy has room for raw outputs alone: accept JSON, CSV or Arrow.", "no_room")
    _check(trained, new)
    interval, reused = None, False
    if new.interval and new.way == JACKKNIFE_PLUS:
        interval = _jackknife(database, storage, trained, new.interval, inputs)
    elif new.interval:
        found = quantiles_of(database, storage, trained, new.interval, "#/interval", new.way)
        middle, margins = outputs.astype(np.float64), _margins(trained, found.values)
        interval = _interval(new.interval, found.method, middle - margins, middle + margins, outputs.dtype)
        reused = found.reused
    if not new.sets:
        return Confidence(interval, reused=reused)
    quantiles = quantiles_of(database, storage, trained, new.sets, "#/sets")
    return Confidence(interval, new.sets, *_sets(trained, quantiles, outputs), reused or quantiles.reused)


def _interval(level: float, method: str, lower: Array, upper: Array, dtype: np.dtype[Any]) -> Interval:
    return Interval(level, method, _rounded(lower, dtype, -np.inf), _rounded(upper, dtype, np.inf))


def _jackknife(database: Database, storage: Storage, trained: TrainedNetwork, level: float, inputs: Rows) -> Interval:
    found = left_out(database, storage, trained)
    if found is None:
        raise no_optimum(trained)
    check_rows_of_jackknife(found)
    rows = len(found.part)
    if rank(rows, level) > rows:
        raise too_few(rows, rows, level, "#/interval", "training")
    return _interval(level, JACKKNIFE_PLUS, *found.bounds(inputs[:], level), np.dtype(trained.network.dtype))


def _check(trained: TrainedNetwork, new: NewPrediction) -> None:
    """Raise Invalid where there is nothing of the kind that is asked for."""
    signature = trained.signature
    if signature is None:
        return
    kinds = {target.kind for target in signature.targets}
    if new.interval and "numeric" not in kinds:
        raise invalid("#/interval", 'All targets are classes: ask for "sets".', "no_numbers")
    if new.sets and kinds == {"numeric"}:
        raise invalid("#/sets", 'No target is a class: ask for an "interval".', "no_classes")
    if new.sets and signature.link is None:
        detail = "The loss of this version makes no probabilities, of which sets are made: train by logitcrossentropy."
        raise invalid("#/sets", detail, "no_probabilities")


def _targets(trained: TrainedNetwork) -> Sequence[tuple[str, int, Classes | None]]:
    """The name and the width of each target, and its classes where it has any."""
    assert trained.signature is not None
    return [
        (
            each.name,
            each.width,
            None
            if each.kind == "numeric"
            else Classes((False, True) if each.kind == "boolean" else each.categories or ()),
        )
        for each in trained.signature.targets
    ]


def _margins(trained: TrainedNetwork, quantiles: Array) -> Array:
    targets = _targets(trained)
    known = [np.nan if classes else quantile for (_, _, classes), quantile in zip(targets, quantiles, strict=True)]
    return np.repeat(known, [width for _, width, _ in targets])


def _sets(
    trained: TrainedNetwork, quantiles: Quantiles, outputs: Array
) -> tuple[dict[str, Sets], dict[str, tuple[float, Array]]]:
    """Return the sets of each class target, and temperature and probabilities of those that have a temperature."""
    assert trained.signature is not None
    found: dict[str, Sets] = {}
    tempered: dict[str, tuple[float, Array]] = {}
    start = 0
    targets = zip(_targets(trained), quantiles.values, quantiles.temperatures, strict=True)
    for (name, width, classes), quantile, temperature in targets:
        if classes is not None:
            own = outputs[:, start : start + width]
            chances = scores_at(own, trained.signature.link, temperature, boolean=classes.boolean)
            inside = conformal.in_set(chances, float(quantile))
            found[name] = _labels(inside, np.array(classes.names, object))
            if temperature != 1:
                tempered[name] = temperature, chances
        start += width
    return found, tempered


def _labels(inside: Array, names: Array) -> Sets:
    """Return the names of the classes that are in the set of each row."""
    codes, ends = np.nonzero(inside)[1], inside.sum(axis=1).cumsum().tolist()
    labels = names[codes].tolist()
    found: Sets = [labels[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    return found
