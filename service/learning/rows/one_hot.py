"""Categorical columns, stored as codes and learnt from as one-hot: as codes, or expanded batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.rows.coded import Buffer, Coding, Places
from service.learning.rows.selection import Selection
from service.learning.rows.stored_rows import StoredRows


class OneHotRows(StoredRows):
    """Rows (rows × columns) some of whose columns hold codes of classes, seen as one-hot: rows × width.

    `classes` has one entry a column: None for a number, which is one place wide and stays as it is; k for codes
    0 to k − 1, which are k places wide, 1 at the code and 0 elsewhere. Codes beyond are not checked for. `codes` is an
    array of any float dtype, a memory map, or a selection of columns of one; `dtype` is that of the rows seen. Slices
    and rows that are taken are dense arrays; a CodedBlock takes rows as they travel.

    Raises:
        ValueError: there are not as many classes as columns.
    """

    def __init__(self, codes: Array | Selection, classes: Sequence[int | None], dtype: str) -> None:
        if codes.shape[1] != len(classes):
            raise ValueError(f"codes have {codes.shape[1]} columns, classes are given for {len(classes)}")
        self.codes = self.source = codes if isinstance(codes, Selection) else np.asarray(codes)
        self.classes = tuple(classes)
        self.dtype = np.dtype(dtype)
        self._places = Places(self.classes, np.arange(len(self.classes)))
        self.shape = (len(codes), self._places.width)

    @property
    def numbers(self) -> tuple[slice | Indices, slice | Indices]:
        """The columns of numbers, and the inputs that these are seen as."""
        return self._places.numbers, self._places.places

    @cached_property
    def coding(self) -> Coding | None:
        """The columns that travel as codes to a network that takes them; None where none does."""
        return Coding.of(self.classes)

    def _see(self, codes: Array, out: Array) -> None:
        self._places.write(codes, out)


Rows = Array | Selection | OneHotRows
"""Rows to learn from; a slice of any kind is a dense array."""


def as_taken(codes: Array, classes: Sequence[int | None]) -> Rows:
    """Return rows of codes (rows × columns), in their own dtype, as networks take them: expanded unless one is wide."""
    if classes.count(None) == len(classes):
        return codes
    rows = OneHotRows(codes, classes, codes.dtype.name)
    return rows if rows.coding is not None else rows[:]


def rows_together(blocks: Sequence[Rows]) -> Rows:
    """Return blocks of rows of one form together."""
    first = blocks[0]
    if isinstance(first, OneHotRows):
        codes = [unexpanded(each)[:] for each in blocks]
        return OneHotRows(np.concatenate(codes), first.classes, first.dtype.name)
    return np.concatenate([each[:] for each in blocks])


def copied_rows(rows: Rows, places: Indices, dtype: str) -> Rows:
    """Return some rows in memory, seen in a dtype, codes as they are."""
    kept = unexpanded(rows).take(places, axis=0).astype(rows.dtype, copy=False)  # rounded as they are seen
    return OneHotRows(kept, rows.classes, dtype) if isinstance(rows, OneHotRows) else kept.astype(dtype, copy=False)


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


def write_rows(rows: Rows, chosen: slice, out: Buffer) -> None:
    """Write some rows to `out` (rows × width), which lies together in memory, or is for rows as they travel."""
    if not isinstance(rows, np.ndarray):
        rows.write(chosen, out)
    elif isinstance(out, np.ndarray):
        np.copyto(out, rows[chosen])
    else:
        raise TypeError("rows that hold no codes are written to an array")
