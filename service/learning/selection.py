"""Some columns of stored rows, in a dtype of their own: cast as rows are read, never as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from service.learning.arrays import Array, Indices


class Selection:
    """Rows (rows × columns chosen) of `array` (rows × columns), an array of any float dtype or a memory map.

    `columns` are ascending, each once; None chooses all. Slices and rows that are taken are dense arrays of `dtype`.
    """

    def __init__(self, array: Array, columns: Sequence[int] | None, dtype: str) -> None:
        self.array: Array = np.asarray(array)
        chosen = np.arange(self.array.shape[1]) if columns is None else np.array(columns, np.intp)
        self.shape = (len(self.array), len(chosen))
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._stretches = _stretches(chosen)

    @property
    def size(self) -> int:
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | Indices) -> Array:
        """These rows, dense (rows × columns chosen)."""
        stored = self.array[rows]
        if stored.ndim != 2:  # NumPy would take this for a sequence of rows, and copy one after the other
            raise TypeError("rows are taken by a slice or by an array of indices")
        out = np.empty((len(stored), self.shape[1]), self.dtype)
        self._copy(stored, out)
        return out

    def take(self, indices: Indices, axis: int = 0, out: Array | None = None, mode: str = "raise") -> Array:
        """As ndarray.take, for whole rows: `axis` is 0."""
        stored = self.array.take(indices, axis, mode=mode)  # type: ignore[call-overload]  # the stubs list the modes
        if out is None:
            out = np.empty((len(stored), self.shape[1]), self.dtype)
        self._copy(stored, out)
        return out

    def write(self, rows: slice, out: Array) -> None:
        """Write these rows, dense, to `out` (rows × columns chosen)."""
        self._copy(self.array[rows], out)

    def _copy(self, stored: Array, out: Array) -> None:
        for source, target in self._stretches:
            out[:, target] = stored[:, source]


def _stretches(columns: Indices) -> list[tuple[slice, slice]]:
    """Columns that follow each other, as they are stored and as they are seen: copied together, they cost least."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(columns) != 1) + 1, [len(columns)]]).tolist()
    starts = columns.tolist()
    return [
        (slice(starts[first], starts[first] + last - first), slice(first, last))
        for first, last in pairwise(edges)
        if last > first
    ]
