"""Some columns of stored rows, in a dtype of their own: cast as rows are read, never as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.rows.stored_rows import StoredRows


class Selection(StoredRows):
    """Rows (rows × columns chosen) of `array` (rows × columns), an array of any float dtype or a memory map.

    `columns` are in the order in which they are seen; None chooses all. `codes` holds the code that is seen for each
    stored one, by the place of the column among those chosen. Slices and rows that are taken are dense arrays of
    `dtype`.
    """

    def __init__(
        self,
        array: Array,
        columns: Sequence[int] | None,
        dtype: str,
        codes: Mapping[int, Sequence[int]] = MappingProxyType({}),
    ) -> None:
        self.array: Array = np.asarray(array)
        self.source = self.array
        chosen = np.arange(self.array.shape[1]) if columns is None else np.array(columns, np.intp)
        self.shape = (len(self.array), len(chosen))
        self.dtype = np.dtype(dtype)
        self._stretches = _stretches(chosen)
        self._codes = [(place, int(chosen[place]), np.array(seen, dtype)) for place, seen in codes.items()]

    def _see(self, stored: Array, out: Array) -> None:
        for source, target in self._stretches:
            out[:, target] = stored[:, source]
        for place, column, seen in self._codes:
            out[:, place] = seen[stored[:, column].astype(np.intp)]


def _stretches(columns: Indices) -> list[tuple[slice, slice]]:
    """Columns that follow each other, as they are stored and as they are seen: copied together, they cost least."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(columns) != 1) + 1, [len(columns)]]).tolist()
    starts = columns.tolist()
    return [
        (slice(starts[first], starts[first] + last - first), slice(first, last))
        for first, last in pairwise(edges)
        if last > first
    ]
