"""Rows that are stored in one form and seen in another: converted as they are read, batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.rows.coded import Buffer, CodedBlock


class StoredRows(ABC):
    """Rows of `source`, seen with a `shape` (rows × width) and `dtype` of its own. Slices and taken rows are dense."""

    source: Array | StoredRows
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    @abstractmethod
    def _see(self, stored: Array, out: Array) -> None:
        """Write rows of the source as they are seen to `out` (rows × width), which lies together in memory."""

    @property
    def size(self) -> int:
        """Count of the numbers seen."""
        return self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | Indices) -> Array:
        """These rows, dense (rows × width)."""
        stored = self.source[rows]
        if stored.ndim != 2:  # NumPy would take this for a sequence of rows, and copy one after the other
            raise TypeError("rows are taken by a slice or by an array of indices")
        return self._seen(stored, None)

    def take(self, indices: Indices, axis: int = 0, out: Buffer | None = None, mode: str = "raise") -> Array:
        """As ndarray.take, for whole rows: `axis` is 0, and `out` an array that lies together in memory, or a block for
        rows as they travel, whose numbers are returned.
        """
        return self._seen(self.source.take(indices, axis, mode=mode), out)  # type: ignore[call-overload]  # the stubs list the modes

    def write(self, rows: slice, out: Buffer) -> None:
        """Write these rows to `out`: dense to an array that lies together, or as they travel to a block."""
        self._seen(self.source[rows], out)

    def _seen(self, stored: Array, out: Buffer | None) -> Array:
        if isinstance(out, CodedBlock):
            out.fill(stored)
            return out.numbers
        out = np.empty((len(stored), self.shape[1]), self.dtype) if out is None else out
        self._see(stored, out)
        return out
