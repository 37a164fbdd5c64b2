"""The truth of a version's intervals and probabilities on the rows of an evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.confidence.calibration import levels_of
from service.database.database import Database
from service.datasets.columns import Column
from service.evaluations.records import Sureness
from service.http.json_numbers import Array
from service.learning.confidence.reliability import Coverage, CurveStep, Reliability, calibration_error
from service.learning.evaluation.evaluation import Classes
from service.learning.losses import Link
from service.models.signature.scored import scored
from service.models.trained_network import TrainedNetwork
from service.storage.storage import Storage

LEVEL = 0.9
"""The level of the intervals and sets whose coverage is told."""
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, LEVEL)


class Watched:
    """The coverage of a version's intervals and sets, and the reliability of its probabilities, while rows pass by."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        trained: TrainedNetwork,
        columns: Sequence[Column],
        link: Link | None,
    ) -> None:
        targets = scored(columns)
        all_classes = all(isinstance(each, Classes) for each in targets)
        levels = {} if all_classes and link is None else levels_of(database, storage, trained, LEVELS)
        self._names = [each.name for each in columns]
        self._told = {each.name for each in columns if each.kind == "numeric" or link is not None}
        self._coverage = Coverage(levels, targets, link) if levels else None
        self._reliability: dict[str, Reliability] = {}
        output = 0
        for name, target in zip(self._names, targets, strict=len(targets) == len(self._names)):
            if isinstance(target, Classes) and link is not None:
                own, column = slice(output, output + target.outputs), self._names.index(name)
                self._reliability[name] = Reliability(own, column, link, boolean=target.boolean)
            output += target.outputs

    def add(self, outputs: Array, truth: Array) -> None:
        """Add rows, with all outputs and all columns of targets."""
        if self._coverage is not None:
            self._coverage.add(outputs, truth)
        for each in self._reliability.values():
            each.add(outputs, truth)

    def result(self) -> Sureness | None:
        """Return what came true; None where the version has neither intervals nor probabilities."""
        if self._coverage is None and not self._reliability:
            return None
        found = {} if self._coverage is None else dict(zip(self._names, self._coverage.curves(), strict=True))
        curves = {name: curve for name, curve in found.items() if name in self._told}
        coverage = {
            name: next((step.observed for step in curves.get(name, ()) if step.expected == LEVEL), None)
            for name in self._names
        }
        told = {name: self._of(name, curves) for name in self._names}
        return {
            "coverage": self._plain(coverage),
            "calibration_error": self._plain({name: calibration_error(curve) for name, curve in told.items()}),
            "reliability": self._plain({name: [step._asdict() for step in curve] for name, curve in told.items()}),
        }

    def _of(self, name: str, curves: dict[str, list[CurveStep]]) -> list[CurveStep]:
        """The curve of a class's probabilities, or of a number's levels."""
        return self._reliability[name].curve() if name in self._reliability else curves.get(name, [])

    def _plain(self, by_target: Mapping[str, Any]) -> Any:
        return by_target if len(self._names) > 1 else next(iter(by_target.values()))
