"""The rows on which a network is furthest off."""

from typing import NamedTuple

import numpy as np

from service.learning.arrays import Array, Indices


class WorstRow(NamedTuple):
    """A row's number, the network's outputs for it, the true values as stored, and the size of the error."""

    row: int
    outputs: list[float]
    targets: list[float]
    residual: float


class WorstRows:
    """The `count` rows with the largest residuals, collected block by block; ties keep the first.

    A residual that is not a number counts as infinite.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._residuals = np.empty(0)
        self._rows = np.empty(0, np.intp)
        self._outputs: Array = np.empty(0)
        self._targets: Array = np.empty(0)

    def add(self, first: int, residuals: Array, outputs: Array, targets: Array) -> None:
        """Add rows numbered from `first`: residuals (rows), outputs and targets (rows × any)."""
        sizes = np.where(np.isnan(residuals), np.inf, residuals).astype(np.float64)
        rows = np.flatnonzero(sizes > self._bound)
        if not self._count or not len(rows):
            return
        if not len(self._rows):
            self._outputs, self._targets = outputs[:0], targets[:0]
        sizes = np.concatenate([self._residuals, sizes[rows]])
        worst: Indices = np.argsort(-sizes, kind="stable")[: self._count]
        self._residuals = sizes[worst]
        self._rows = np.concatenate([self._rows, first + rows])[worst]
        self._outputs = np.concatenate([self._outputs, outputs[rows]])[worst]
        self._targets = np.concatenate([self._targets, targets[rows]])[worst]

    @property
    def _bound(self) -> float:
        """The residual that a row must exceed to be among the worst."""
        return float(self._residuals[-1]) if len(self._rows) == self._count > 0 else -np.inf

    def result(self) -> list[WorstRow]:
        """Return the rows, the worst first."""
        columns = (self._rows, self._outputs, self._targets, self._residuals)
        return [WorstRow(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def of_numbers(outputs: Array, targets: Array) -> Array:
    """Return the largest |ŷ - y| of each row (rows)."""
    with np.errstate(all="ignore"):
        largest: Array = np.abs(outputs - targets).max(axis=1)
        return largest


def of_classes(scores: Array, codes: Indices) -> Array:
    """1 - the score of the true class (rows)."""
    with np.errstate(all="ignore"):
        missed: Array = 1 - scores[np.arange(len(codes)), codes]
        return missed
