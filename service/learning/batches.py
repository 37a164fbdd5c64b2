"""Which rows each batch has: seeded, the same for whoever asks again, and read from the disk in long runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from service.learning.arrays import Array, Indices

Take = Callable[[Indices, int, Array, str], Array]
RUN_BYTES = 1 << 20  # rows that lie together in the file and are read together
WINDOW_RUNS = 32  # so many runs are mixed with each other


@dataclass(frozen=True, eq=False)
class Part:
    """Rows to learn from: inputs (rows × inputs) and targets (rows × outputs).

    Arrays or memory maps, in the network's dtype.
    `weights` (rows), not negative, say how much each row counts; their scale does not matter to a mean.
    """

    inputs: Array
    targets: Array
    weights: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)


class Order:
    """The order of the rows in one epoch, window by window.

    Rows are cut into runs; the runs are shuffled, and so are the rows within each window of successive runs. A part of
    at most one window is shuffled completely. All depends on (seed, epoch) alone.
    """

    def __init__(self, rows: int, row_bytes: int, seed: int, epoch: int) -> None:
        self._run = max(1, RUN_BYTES // row_bytes)
        self._entropy = (seed, epoch)
        starts = np.arange(0, rows, self._run)
        if len(starts) > WINDOW_RUNS:
            np.random.default_rng(self._entropy).shuffle(starts)
        self._starts = starts
        self._stops = np.minimum(starts + self._run, rows)
        edges = np.concatenate([[0], np.cumsum(self._stops - self._starts)])
        self._edges = np.append(edges[:-1:WINDOW_RUNS], rows)  # positions in the order where windows begin
        self._first = self._last = 0  # the positions that `_rows` is for
        self._rows = np.empty(0, np.intp)

    def rows(self, start: int, stop: int) -> Indices:
        """The numbers of the rows at these positions of the order."""
        if self._first <= start and stop <= self._last:
            return self._rows[start - self._first : stop - self._first]
        first = int(np.searchsorted(self._edges, start, side="right")) - 1
        pieces = []
        while start < stop:
            if not self._first <= start < self._last:
                self._enter(first)
            end = min(stop, int(self._edges[first + 1]))
            pieces.append(self._rows[start - self._first : end - self._first])
            start, first = end, first + 1
        return np.concatenate(pieces) if len(pieces) > 1 else pieces[0]

    def _enter(self, window: int) -> None:
        runs = slice(window * WINDOW_RUNS, (window + 1) * WINDOW_RUNS)
        spans = zip(self._starts[runs].tolist(), self._stops[runs].tolist(), strict=True)
        self._rows = np.concatenate([np.arange(start, stop) for start, stop in spans])
        np.random.default_rng((*self._entropy, window)).shuffle(self._rows)
        self._first, self._last = self._edges[window : window + 2].tolist()


class Batches:
    """The batches of a part, epoch by epoch, copied into buffers that the caller gives."""

    def __init__(
        self, part: Part, size: int | None, *, partial: bool = True, shuffle: bool = False, seed: int = 0
    ) -> None:
        self._part = part
        self._arrays = [np.asarray(part.inputs), np.asarray(part.targets)]
        if part.weights is not None:
            self._arrays.append(np.asarray(part.weights).reshape(-1, 1))
        self._takes = [cast(Take, array.take) for array in self._arrays]
        rows = len(part)
        self.size = min(size or rows, rows)
        self.rows = rows if partial else rows - rows % self.size
        self._seed = seed
        self._shuffle = shuffle and self.size < rows
        self._row_bytes = sum(array[0].nbytes for array in self._arrays)
        self._order: Order | None = None

    @property
    def single(self) -> bool:
        """Whether one batch is the whole part."""
        return self.size == len(self._part)

    def begin(self, epoch: int) -> None:
        """Put the rows into the order of this epoch, counted from 1."""
        if self._shuffle:
            self._order = Order(len(self._part), self._row_bytes, self._seed, epoch)

    def read(self, start: int, stop: int, buffers: Sequence[Array]) -> None:
        """Copy the rows at these positions of the epoch's order: inputs, targets and, where there are any, weights."""
        if self._order is None:
            for array, buffer in zip(self._arrays, buffers, strict=True):
                np.copyto(buffer, array[start:stop])
        else:
            rows = self._order.rows(start, stop)
            for take, buffer in zip(self._takes, buffers, strict=True):
                take(rows, 0, buffer, "clip")  # checking the indices would go through another buffer
