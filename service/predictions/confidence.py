"""Intervals around numbers and sets of classes that hold the true ones with a chance of at least their level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from service.confidence.calibration import quantiles_of
from service.database.database import Database
from service.errors import invalid
from service.http import media_types
from service.http.json_numbers import Array, JsonObject
from service.learning.confidence import conformal
from service.learning.confidence.conformal import Quantiles
from service.learning.confidence.temperature import scores_at
from service.learning.evaluation.evaluation import Classes
from service.learning.planning.advice import Advice
from service.models.trained_network import TrainedNetwork
from service.predictions.schemas import NewPrediction
from service.storage.storage import Storage

METHOD = "split_conformal"
Sets = list[list[str]] | list[list[bool]]


@dataclass(frozen=True)
class Confidence:
    """Margins and sets around the outputs of rows."""

    interval: float | None = None
    margins: Array | None = None
    """Half the width of each output's interval; nan for those of classes."""
    level: float | None = None
    sets: dict[str, Sets] | None = None
    """The labels of each row, by target."""
    chances: dict[str, tuple[float, Array]] = field(default_factory=dict)
    """The temperature of class targets that have one, and the probabilities that their sets are made of."""
    reused: bool = False

    def to_json(self, outputs: Array) -> JsonObject:
        """Return the members that it adds to an answer."""
        answer: JsonObject = {}
        if self.margins is not None:
            lower, upper = self.bounds(outputs, slice(None))
            answer["intervals"] = {"level": self.interval, "method": METHOD, "lower": lower, "upper": upper}
        if self.sets is not None:
            answer["label_sets"] = {"level": self.level, "sets": _plain(self.sets)}
            if self.chances:
                temperatures = {name: temperature for name, (temperature, _) in self.chances.items()}
                chances = {name: found for name, (_, found) in self.chances.items()}
                answer["label_sets"] |= {"temperature": _plain(temperatures), "probabilities": _plain(chances)}
        if self.reused:
            answer["advice"] = [REUSED]
        return answer

    def bounds(self, outputs: Array, columns: slice) -> tuple[Array, Array]:
        """Return the least and the greatest values of these columns of outputs."""
        assert self.margins is not None
        middle, margins = outputs[:, columns].astype(np.float64), self.margins[columns]
        return _rounded(middle - margins, outputs.dtype, -np.inf), _rounded(middle + margins, outputs.dtype, np.inf)


def _rounded(bounds: Array, dtype: np.dtype[Any], outwards: float) -> Array:
    """Return bounds in the outputs' dtype, none of them nearer to these than it was."""
    with np.errstate(over="ignore"):
        rounded = bounds.astype(dtype)
    inside = rounded > bounds if outwards < 0 else rounded < bounds
    return np.where(inside, np.nextafter(rounded, dtype.type(outwards)), rounded)


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
    database: Database, storage: Storage, trained: TrainedNetwork, new: NewPrediction, wanted: str, outputs: Array
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
    interval = quantiles_of(database, storage, trained, new.interval, "#/interval") if new.interval else None
    sets = quantiles_of(database, storage, trained, new.sets, "#/sets") if new.sets else None
    found, chances = (None, {}) if sets is None else _sets(trained, sets, outputs)
    return Confidence(
        new.interval or None,
        None if interval is None else _margins(trained, interval.values),
        new.sets or None,
        found,
        chances,
        any(each is not None and each.reused for each in (interval, sets)),
    )


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
