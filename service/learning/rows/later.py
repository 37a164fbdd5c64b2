"""Rows that are made when they are first read: what is known of them otherwise may be enough."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from service.learning.arrays import Array
from service.learning.rows.coded import Coding
from service.learning.rows.one_hot import Rows, stored
from service.learning.rows.selection import Selection


class LaterRows(Selection):
    """Rows (rows × width) of a shape, dtype and coding that are known, and which `make` returns."""

    def __init__(
        self, shape: tuple[int, int], dtype: str, make: Callable[[], Rows], coding: Coding | None = None
    ) -> None:
        self.shape, self.dtype, self.coding = shape, np.dtype(dtype), coding
        self._make = make

    @cached_property
    def source(self) -> Rows:  # type: ignore[override]  # of others, it is there from the beginning
        return self._make()

    @property
    def array(self) -> Array:  # type: ignore[override]  # as the source is
        """The array that the rows are in."""
        return stored(self.source)

    def _see(self, stored: Array, out: Array) -> None:
        np.copyto(out, stored)


def made(rows: Rows) -> Rows:
    """Return the rows themselves, to one that is going to read them."""
    return rows.source if isinstance(rows, LaterRows) else rows
