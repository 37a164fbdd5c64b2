"""Loss, metrics and worst rows of a network on a part, in one pass over its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from service.learning.arrays import Array
from service.learning.evaluation import worst_rows as residuals
from service.learning.evaluation.class_scores import class_scores
from service.learning.evaluation.metrics import Classification, Metrics, Regression
from service.learning.evaluation.worst_rows import WorstRow, WorstRows
from service.learning.losses import Link, Loss
from service.learning.network import Network
from service.learning.rows.one_hot import unexpanded
from service.learning.rows.part import Part


@dataclass(frozen=True)
class Numbers:
    """A target of numbers, or several that are scored together: as many outputs as columns."""

    columns: int = 1

    @property
    def outputs(self) -> int:
        return self.columns


@dataclass(frozen=True)
class Classes:
    """A target of classes: one column of codes and one output a class, but one output for both of (False, True)."""

    names: tuple[str | bool, ...]

    @property
    def columns(self) -> int:
        return 1

    @property
    def boolean(self) -> bool:
        return self.names == (False, True)

    @property
    def outputs(self) -> int:
        return 1 if self.boolean else len(self.names)


@dataclass(frozen=True)
class Evaluation:
    """The loss, the metrics of each target, and the worst rows, the worst first.

    A row's residual is the largest one of its targets: |ŷ - y| of numbers, 1 - the score of the true class of classes.
    """

    loss: float
    metrics: list[Metrics]
    worst: list[WorstRow]


class Watching(Protocol):
    """Anything else that sees the rows as they are evaluated."""

    def add(self, outputs: Array, truth: Array) -> Any:
        """Add rows, with all outputs and all columns of targets as they are stored."""


def evaluate(
    network: Network,
    vector: Array,
    part: Part,
    loss: Loss,
    targets: Sequence[Numbers | Classes],
    *,
    link: Link | None = None,
    worst: int = 0,
    also: Sequence[Watching] = (),
) -> Evaluation:
    """Evaluate in test mode, in constant memory but for the scores of classes, which `Ranking` keeps.

    `targets` describe the part's columns of targets, in order; `link` makes the outputs of classes probabilities. All
    rows are shown to `also`, block by block.
    """
    total, worst_rows = loss.total(), WorstRows(worst)
    judges = _judges(targets, len(part), link)
    for rows, outputs in network.measure(vector, part.inputs, part.targets, total, part.weights):
        truth = unexpanded(part.targets)[rows]
        sizes = [judge.add(outputs, truth) for judge in judges]
        if worst:
            worst_rows.add(rows.start, np.max(sizes, axis=0), outputs, truth)
        for each in also:
            each.add(outputs, truth)
    value = total.value
    if not np.isfinite(value) and network.dtype != "float64":
        value = _loss_in_float64(network, vector, part, loss)
    return Evaluation(value, [judge.result() for judge in judges], worst_rows.result())


def _loss_in_float64(network: Network, vector: Array, part: Part, loss: Loss) -> float:
    """Return the loss of the outputs as they are, in numbers that it does not overflow."""
    total = loss.total()
    weights = None if part.weights is None else total.comparable(part.weights).reshape(-1, 1)
    for rows, outputs in network.blocks(vector, part.inputs):
        targets = np.asarray(part.targets[rows], np.float64)
        with np.errstate(all="ignore"):
            total.add(outputs.astype(np.float64), targets, None if weights is None else weights[rows])
    return total.value


class _Judge(Protocol):
    """The scoring of one of the targets."""

    def add(self, outputs: Array, truth: Array) -> Array:
        """Add rows, with all outputs and all columns of targets; return their residuals (rows)."""

    def result(self) -> Metrics:
        """The metrics."""


class _JudgeOfNumbers:
    def __init__(self, outputs: slice, columns: slice) -> None:
        self._metrics = Regression()
        self._outputs, self._columns = outputs, columns
        self.result = self._metrics.result

    def add(self, outputs: Array, truth: Array) -> Array:
        predictions, targets = outputs[:, self._outputs], truth[:, self._columns]
        self._metrics.add(predictions, targets)
        return residuals.of_numbers(predictions, targets)


class _JudgeOfClasses:
    def __init__(self, outputs: slice, column: int, classes: Classes, rows: int, link: Link | None) -> None:
        self._metrics = Classification(classes.names, rows, probabilities=link is not None)
        self._outputs, self._column = outputs, column
        self._boolean, self._link = classes.boolean, link
        self.result = self._metrics.result

    def add(self, outputs: Array, truth: Array) -> Array:
        scores = class_scores(outputs[:, self._outputs], self._link, boolean=self._boolean)
        codes = truth[:, self._column].astype(np.intp)
        self._metrics.add(scores, codes)
        return residuals.of_classes(scores, codes)


def _judges(targets: Sequence[Numbers | Classes], rows: int, link: Link | None) -> list[_Judge]:
    judges: list[_Judge] = []
    output = column = 0
    for target in targets:
        outputs = slice(output, output + target.outputs)
        if isinstance(target, Numbers):
            judges.append(_JudgeOfNumbers(outputs, slice(column, column + target.columns)))
        else:
            judges.append(_JudgeOfClasses(outputs, column, target, rows, link))
        output, column = outputs.stop, column + target.columns
    return judges
