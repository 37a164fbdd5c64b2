"""The truth of levels and probabilities, from rows that are added block by block."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array
from service.learning.confidence import conformal
from service.learning.confidence.conformal import Quantiles
from service.learning.evaluation.class_scores import class_scores, labels
from service.learning.evaluation.evaluation import Classes, Numbers
from service.learning.losses import Link

RELIABILITY_BINS = 10
"""Bins of one width between 0 and 1, which probabilities of labels fall into."""


class CurveStep(NamedTuple):
    """A step of a reliability curve: how often something should be so, how often it is, and of how many rows."""

    expected: float
    observed: float
    rows: int


def calibration_error(curve: Sequence[CurveStep]) -> float | None:
    """Σ rows |observed - expected| / Σ rows; None without rows."""
    rows = sum(step.rows for step in curve)
    return sum(step.rows * abs(step.observed - step.expected) for step in curve) / rows if rows else None


class Coverage:
    """The share of rows whose true value lies inside the intervals or sets of each level.

    `levels`, at least one, are the quantiles of the scores by level, with a column for each number and each class
    target.
    """

    def __init__(self, levels: dict[float, Quantiles], targets: Sequence[Numbers | Classes], link: Link | None) -> None:
        self._levels, self._targets, self._link = levels, targets, link
        self._rows = 0
        self._inside: dict[float, Array] = {}

    def add(self, outputs: Array, truth: Array) -> None:
        """Add rows, with all outputs and all columns of targets."""
        self._rows += len(outputs)
        always = _is_likeliest(outputs, truth, self._targets, self._link)
        temperatures = next(iter(self._levels.values())).temperatures
        scores = conformal.scores(outputs, truth, self._targets, self._link, temperatures)
        for level, quantiles in self._levels.items():
            inside = ((scores <= quantiles.values) | always).sum(axis=0)
            self._inside[level] = self._inside.get(level, 0) + inside

    def curves(self) -> list[list[CurveStep]]:
        """Return the shares at all levels, for each number and each class target."""
        steps = {level: inside / self._rows for level, inside in self._inside.items()}
        count = sum(each.columns for each in self._targets)
        return [
            [CurveStep(level, float(shares[column]), self._rows) for level, shares in sorted(steps.items())]
            for column in range(count)
        ]


def _is_likeliest(
    outputs: Array, truth: Array, targets: Sequence[Numbers | Classes], link: Link | None
) -> NDArray[np.bool_]:
    """Whether the true class is the likeliest, which is in every set (rows × quantiles); False of numbers."""
    found = np.zeros(truth.shape, bool)
    output = column = 0
    for target in targets:
        if isinstance(target, Classes):
            own = outputs[:, output : output + target.outputs]
            found[:, column] = labels(class_scores(own, link, boolean=target.boolean)) == truth[:, column]
        output, column = output + target.outputs, column + target.columns
    return found


class Reliability:
    """The share of rows whose label is right, by the probability that it was given."""

    def __init__(self, outputs: slice, column: int, link: Link, *, boolean: bool) -> None:
        self._outputs, self._column, self._link, self._boolean = outputs, column, link, boolean
        self._rows = np.zeros(RELIABILITY_BINS)
        self._chances = np.zeros(RELIABILITY_BINS)
        self._right = np.zeros(RELIABILITY_BINS)

    def add(self, outputs: Array, truth: Array) -> None:
        """Add rows, with all outputs and all columns of targets."""
        chances = class_scores(outputs[:, self._outputs], self._link, boolean=self._boolean).astype(np.float64)
        label = labels(chances)
        chance = chances[np.arange(len(chances)), label]
        known = np.isfinite(chance)
        chance, right = chance[known], (label == truth[:, self._column])[known]
        place = np.clip((chance * RELIABILITY_BINS).astype(np.intp), 0, RELIABILITY_BINS - 1)
        self._rows += np.bincount(place, minlength=RELIABILITY_BINS)
        self._chances += np.bincount(place, chance, RELIABILITY_BINS)
        self._right += np.bincount(place, right, RELIABILITY_BINS)

    def curve(self) -> list[CurveStep]:
        """Return mean probability and share of right labels of each bin that has rows."""
        return [
            CurveStep(chance / rows, right / rows, int(rows))
            for rows, chance, right in zip(
                self._rows.tolist(), self._chances.tolist(), self._right.tolist(), strict=True
            )
            if rows
        ]
