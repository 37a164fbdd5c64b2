"""Categorical columns, stored as codes and learnt from as one-hot: expanded batch by batch, never as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.rows.selection import Selection
from service.learning.rows.stored_rows import StoredRows


class OneHotRows(StoredRows):
    """Rows (rows × columns) some of whose columns hold codes of classes, seen as one-hot: rows × width.

    `classes` has one entry a column: None for a number, which is one place wide and stays as it is; k for codes
    0 to k − 1, which are k places wide, 1 at the code and 0 elsewhere. Codes beyond are not checked for. `codes` is an
    array of any float dtype, a memory map, or a selection of columns of one; `dtype` is that of the rows seen. Slices
    and rows that are taken are dense arrays.

    Raises:
        ValueError: there are not as many classes as columns.
    """

    def __init__(self, codes: Array | Selection, classes: Sequence[int | None], dtype: str) -> None:
        if codes.shape[1] != len(classes):
            raise ValueError(f"codes have {codes.shape[1]} columns, classes are given for {len(classes)}")
        self.codes = self.source = codes if isinstance(codes, Selection) else np.asarray(codes)
        self.classes = tuple(classes)
        self.dtype = np.dtype(dtype)
        widths = np.array([1 if count is None else count for count in self.classes])
        starts = np.cumsum(widths) - widths
        numbers = np.array([count is None for count in self.classes])
        self.shape = (len(codes), int(widths.sum()))
        self._numbers, self._places = _together(np.flatnonzero(numbers)), _together(starts[numbers])
        self._coded, self._starts = _together(np.flatnonzero(~numbers)), starts[~numbers]

    def _see(self, codes: Array, out: Array) -> None:
        out.fill(0)
        out[:, self._places] = codes[:, self._numbers]
        ones = codes[:, self._coded].astype(np.intp)
        ones += self._starts
        ones += np.arange(0, out.size, out.shape[1]).reshape(-1, 1)
        out.reshape(-1, copy=False)[ones] = 1  # two and a half times as fast as by pairs of indices


def _together(indices: Indices) -> slice | Indices:
    """Return the same indices, as a slice where they follow each other: copying is faster then."""
    first, count = (int(indices[0]), len(indices)) if len(indices) else (0, 0)
    return slice(first, first + count) if np.array_equal(indices, np.arange(first, first + count)) else indices


Rows = Array | Selection | OneHotRows
"""Rows to learn from; a slice of any kind is a dense array."""


def expand(codes: Array, classes: Sequence[int | None], dtype: str) -> Array:
    """Return all rows (rows × columns) as one dense array (rows × width)."""
    return OneHotRows(codes, classes, dtype)[:]


def stored(rows: Rows) -> Array:
    """Return the array or memory map that the rows are read from."""
    kept = unexpanded(rows)
    return kept.array if isinstance(kept, Selection) else kept


def unexpanded(rows: Rows) -> Array | Selection:
    """Return the same rows with the codes of classes as they are (rows × columns)."""
    return rows.codes if isinstance(rows, OneHotRows) else rows


def row_bytes(rows: Rows) -> int:
    """Bytes of a row in memory where categories are codes."""
    kept = unexpanded(rows)
    return int(kept.shape[1] * kept.dtype.itemsize)


def room_for(rows: Rows, count: int) -> Rows:
    """Return room in memory for `count` such rows, to be filled through `unexpanded`."""
    kept = unexpanded(rows)
    room: Array = np.empty((count, kept.shape[1]), kept.dtype)
    return OneHotRows(room, rows.classes, rows.dtype.name) if isinstance(rows, OneHotRows) else room


def write_rows(rows: Rows, chosen: slice, out: Array) -> None:
    """Write some rows to `out` (rows × width), which lies together in memory."""
    if isinstance(rows, np.ndarray):
        np.copyto(out, rows[chosen])
    else:
        rows.write(chosen, out)
