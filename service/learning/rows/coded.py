"""Rows as a first Dense layer takes them: a block of numbers, and the place of each wide categorical column's 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, Indices

MOST_WRITTEN_OUT = 64
"""Categories of a column above which its 1s are not written out: adding a column of weights for each row, and a row's
slopes to its gradient, then takes less time than a product with all of them.
"""

NAMED_AT_ONCE = 1 << 15
"""Weights that codes name, which are looked up at once: they and their places stay in a cache."""


class Places:
    """The places of some columns in rows: one for a number, k for codes 0 to k − 1, which are seen as one-hot."""

    def __init__(self, classes: Sequence[int | None], columns: Indices) -> None:
        widths = np.array([classes[column] or 1 for column in columns], np.intp)
        starts = np.cumsum(widths) - widths
        numbers = np.array([classes[column] is None for column in columns], bool)
        self.width = int(widths.sum())
        self.numbers, self.places = together(columns[numbers]), together(starts[numbers])
        self._coded, self._starts = together(columns[~numbers]), starts[~numbers]

    def write(self, codes: Array, out: Array) -> None:
        """Write stored rows (rows × columns) as they are seen to `out` (rows × width), which lies together."""
        if not len(self._starts):
            out[:, self.places] = codes[:, self.numbers]
            return
        out.fill(0)
        out[:, self.places] = codes[:, self.numbers]
        ones = codes[:, self._coded].astype(np.intp)
        ones += self._starts
        ones += np.arange(0, out.size, out.shape[1]).reshape(-1, 1)
        out.reshape(-1, copy=False)[ones] = 1  # two and a half times as fast as by pairs of indices


def together(indices: Indices) -> slice | Indices:
    """Return the same indices, as a slice where they follow each other: copying is faster then."""
    first, count = (int(indices[0]), len(indices)) if len(indices) else (0, 0)
    return slice(first, first + count) if np.array_equal(indices, np.arange(first, first + count)) else indices


@dataclass(frozen=True)
class Coding:
    """The columns of rows as they travel: wide ones as codes, all of at most `MOST_WRITTEN_OUT` categories written out.

    `classes` has one entry a column: None for a number, k for a column of k categories.
    """

    classes: tuple[int | None, ...]

    @classmethod
    def of(cls, classes: Sequence[int | None]) -> Coding | None:
        """Return the coding of these columns; None where none of them is wide."""
        return cls(tuple(classes)) if any(count is not None and count > MOST_WRITTEN_OUT for count in classes) else None

    @cached_property
    def _is_wide(self) -> NDArray[np.bool_]:
        return np.array([count is not None and count > MOST_WRITTEN_OUT for count in self.classes])

    @cached_property
    def written(self) -> Places:
        """The columns that are written out, side by side."""
        return Places(self.classes, np.flatnonzero(~self._is_wide))

    @cached_property
    def columns(self) -> slice | Indices:
        """The columns that travel as codes."""
        return together(np.flatnonzero(self._is_wide))

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """The inputs of each column that travels as codes."""
        widths = np.array([count or 1 for count in self.classes])
        stops = np.cumsum(widths)
        edges = zip((stops - widths)[self._is_wide].tolist(), stops[self._is_wide].tolist(), strict=True)
        return tuple(slice(start, stop) for start, stop in edges)

    @cached_property
    def starts(self) -> Indices:
        """The first input of each of them (columns × 1)."""
        return np.array([span.start for span in self.spans], np.intp)[:, None]

    @cached_property
    def written_inputs(self) -> slice | Indices:
        """The inputs of the columns that are written out."""
        widths = [count or 1 for count in self.classes]
        return together(np.flatnonzero(np.repeat(~self._is_wide, widths)))

    @property
    def width(self) -> int:
        """Numbers of a row as it travels."""
        return self.written.width + len(self.spans)


class CodedBlock:
    """A buffer for rows as they travel: `numbers` (rows × numbers), and `places` (coded columns × rows), the input that
    is 1 of each coded column.

    Of standardised rows the inputs of coded columns are not 1 and 0, but `offset` + `factor` and `offset`, each of them
    (inputs); both are None where they are raw.
    """

    def __init__(self, coding: Coding, numbers: Array, places: Indices) -> None:
        self.coding, self.numbers, self.places = coding, numbers, places
        self.offset: Array | None = None
        self.factor: Array | None = None
        self._scales: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @classmethod
    def empty(cls, coding: Coding, rows: int, dtype: Any) -> CodedBlock:
        """Return a buffer for so many rows."""
        places = np.empty((len(coding.spans), rows), np.intp)
        return cls(coding, np.empty((rows, coding.written.width), dtype), places)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, rows: slice) -> CodedBlock:
        """Return the buffer of some of the rows, to be filled."""
        return CodedBlock(self.coding, self.numbers[rows], self.places[:, rows])

    def fill(self, codes: Array) -> None:
        """Take stored rows (rows × columns), raw."""
        coding = self.coding
        coding.written.write(codes, self.numbers)
        self.places[...] = codes[:, coding.columns].T
        np.add(self.places, coding.starts, self.places)

    def standardise(self, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        """Turn raw inputs x into (x - mean) / deviation, those of coded columns by `offset` and `factor`."""
        dtype, written = self.numbers.dtype, self.coding.written_inputs
        if self._scales is None or self._scales[0] is not mean or self._scales[1] is not deviation:
            self._scales = mean, deviation
            self.factor = (1 / deviation).astype(dtype)
            self.offset = (-mean / deviation).astype(dtype)
        assert self.factor is not None
        np.subtract(self.numbers, mean[written].astype(dtype), self.numbers)
        np.multiply(self.numbers, self.factor[written], self.numbers)


Buffer = Array | CodedBlock
"""Room for rows as a network takes them."""
