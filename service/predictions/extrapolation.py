"""Values of rows that lie outside the range a network saw in training."""

from dataclasses import dataclass

import numpy as np

from service.http.json_numbers import Array
from service.learning.rows.memory_maps import drop_behind
from service.learning.rows.one_hot import OneHotRows, Rows, stored, unexpanded
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
    """Find the values outside in rows as the network takes them (rows × inputs); None where it knows no ranges.

    Categories have none: of rows of codes, the numbers alone are read.
    """
    if trained.ranges is None:
        return None
    low, high = trained.ranges
    columns, places = inputs.numbers if isinstance(inputs, OneHotRows) else (slice(None), slice(None))
    low, high = low[places], high[places]
    kept, count = unexpanded(inputs), 0
    values: list[Outside] = []
    for start in range(0, len(inputs), BLOCK):
        block = kept[start : start + BLOCK][:, columns].astype(inputs.dtype, copy=False)
        outside = _outside(block, low, high)
        drop_behind(stored(inputs), start, start + len(block))
        if outside is not None:
            found = np.argwhere(outside)
            count += len(found)
            names = np.array(trained.input_names, object)[places]
            for row, column in found[: MOST_LISTED - len(values)].tolist():
                values.append(Outside(start + row, names[column], block[row, column], low[column], high[column]))
    return Extrapolation(count, values)


def _outside(rows: Array, low: Array, high: Array) -> Array | None:
    """Return a mask of the numbers (rows × inputs) that lie outside; None where none does."""
    outside: Array = rows < low
    outside |= rows > high
    return outside if outside.any() else None
