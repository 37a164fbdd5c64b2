"""Values of rows that lie outside the range a network saw in training."""

from dataclasses import dataclass

import numpy as np

from service.http.json_numbers import Array
from service.learning.rows.memory_maps import drop_behind
from service.learning.rows.one_hot import Rows, stored
from service.models.trained_network import TrainedNetwork

MOST_LISTED = 100
BLOCK = 1 << 11
"""Rows that are compared at once."""


@dataclass(frozen=True)
class Outside:
    """A value, and the range of its column in training."""

    row: int
    column: str
    value: float
    min: float
    max: float


@dataclass(frozen=True)
class Extrapolation:
    """The number of values outside the training part's range, and the first of them."""

    count: int
    values: list[Outside]


def values_outside_training(trained: TrainedNetwork, inputs: Rows) -> Extrapolation | None:
    """Find the values outside in rows as the network takes them (rows × inputs); None where it knows no ranges."""
    if trained.ranges is None:
        return None
    low, high = trained.ranges
    count = 0
    values: list[Outside] = []
    for start in range(0, len(inputs), BLOCK):
        block = inputs[start : start + BLOCK]
        outside = _outside(block, low, high)
        drop_behind(stored(inputs), start, start + len(block))
        if outside is not None:
            places = np.argwhere(outside)
            count += len(places)
            for row, column in places[: MOST_LISTED - len(values)].tolist():
                name, seen = trained.input_names[column], block[row, column]
                values.append(Outside(start + row, name, seen, low[column], high[column]))
    return Extrapolation(count, values)


def _outside(rows: Array, low: Array, high: Array) -> Array | None:
    """Return a mask of the numbers (rows × inputs) that lie outside; None where none does."""
    outside: Array = rows < low
    outside |= rows > high
    return outside if outside.any() else None
