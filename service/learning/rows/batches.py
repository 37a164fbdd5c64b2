"""Mini-batches in a seeded, repeatable order, read from disk in long runs."""

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.rows import memory_maps
from service.learning.rows.coded import Buffer
from service.learning.rows.later import made
from service.learning.rows.one_hot import Rows, room_for, row_bytes, stored, unexpanded, write_rows
from service.learning.rows.part import Part

Take = Callable[[Indices, int, Buffer, str], Array]
RUN_BYTES = 1 << 19  # rows that lie together in the file and are read together
WINDOW_RUNS = 64  # runs that are mixed with each other


class Order:
    """The order of the rows in one epoch, window by window.

    Rows, of `row_bytes` as a window keeps them, are cut into runs; the runs are shuffled, and so are the rows within
    each window of successive runs. A part of at most one window is shuffled completely. All depends on (seed, epoch)
    alone.
    The window that was entered last has the positions from `first` to `last`.
    """

    def __init__(self, rows: int, row_bytes: int, seed: int, epoch: int) -> None:
        run = max(1, RUN_BYTES // row_bytes)
        starts = np.arange(0, rows, run)
        if len(starts) > WINDOW_RUNS:
            np.random.default_rng((seed, epoch)).shuffle(starts)
        self._entropy = (seed, epoch)
        self._starts = starts
        self._stops = np.minimum(starts + run, rows)
        edges = np.concatenate([[0], np.cumsum(self._stops - starts)])
        self._edges = np.append(edges[:-1:WINDOW_RUNS], rows)  # positions in the order where windows begin
        self.first = self.last = 0

    def enter(self, position: int) -> list[slice]:
        """Go to the window that has this position; return its runs, as slices of the part's rows."""
        self.window = int(np.searchsorted(self._edges, position, side="right")) - 1
        self.first, self.last = self._edges[self.window : self.window + 2].tolist()
        runs = slice(self.window * WINDOW_RUNS, (self.window + 1) * WINDOW_RUNS)
        return list(map(slice, self._starts[runs].tolist(), self._stops[runs].tolist()))

    def shuffle(self, rows: Indices) -> Indices:
        """Put the window's rows, given run after run, in the order of the epoch, and return them."""
        np.random.default_rng((*self._entropy, self.window)).shuffle(rows)
        return rows


class Batches:
    """The batches of a part, epoch by epoch, copied into buffers of the caller.

    A window of a memory map is read run by run into memory, codes as they are, and the pages behind are released.
    """

    def __init__(
        self, part: Part, size: int | None, *, partial: bool = True, shuffle: bool = False, seed: int = 0
    ) -> None:
        arrays = [made(part.inputs), made(part.targets)]
        if part.weights is not None:
            arrays.append(part.weights.reshape(-1, 1))
        self._mapped = any(memory_maps.mapping_of(stored(array)) is not None for array in arrays)
        self._arrays = [np.asarray(each) if isinstance(each, np.ndarray) else each for each in arrays]
        self._window = self._window_of(0)
        self._takes = [cast(Take, array.take) for array in self._arrays]
        rows = len(part)
        self.size = min(size or rows, rows)
        self.rows = rows if partial else rows - rows % self.size
        self._part_rows = rows
        self._seed = seed
        self._shuffle = shuffle and self.size < rows
        self._row_bytes = sum(map(row_bytes, arrays))
        self._order: Order | None = None
        self._rows = np.empty(0, np.intp)

    def begin_epoch(self, epoch: int) -> None:
        """Put the rows into the order of this epoch, counted from 1."""
        if self._shuffle:
            self._order = Order(self._part_rows, self._row_bytes, self._seed, epoch)

    def read(self, start: int, stop: int, buffers: Sequence[Buffer]) -> None:
        """Copy the rows at these positions of the epoch's order: inputs, targets and, where there are any, weights."""
        order = self._order
        if order is None:
            for array, buffer in zip(self._arrays, buffers, strict=True):
                write_rows(array, slice(start, stop), buffer)
            if self._mapped:
                for array in self._arrays:
                    memory_maps.drop_behind(stored(array), start, stop)
        elif order.first <= start and stop <= order.last:
            rows = self._rows[start - order.first : stop - order.first]
            for take, buffer in zip(self._takes, buffers, strict=True):
                take(rows, 0, buffer, "clip")  # checking the indices would go through another buffer
        else:
            self._read_from_windows(order, start, stop, buffers)

    def _read_from_windows(self, order: Order, start: int, stop: int, buffers: Sequence[Buffer]) -> None:
        position = start
        while position < stop:
            if not order.first <= position < order.last:
                self._enter(order, position)
            end = min(stop, order.last)
            self.read(position, end, [buffer[position - start : end - start] for buffer in buffers])
            position = end

    def _enter(self, order: Order, position: int) -> None:
        runs = order.enter(position)
        if not self._mapped:
            self._rows = order.shuffle(np.concatenate([np.arange(run.start, run.stop) for run in runs]))
            return
        count = order.last - order.first
        if len(self._window[0]) < count:
            self._window = self._window_of(count)
            self._takes = [cast(Take, window.take) for window in self._window]
        for array, window in zip(self._arrays, self._window, strict=True):
            _fill(stored(window), array, runs)
        self._rows = order.shuffle(np.arange(count))

    def _window_of(self, count: int) -> list[Rows]:
        """Return room in memory for `count` rows, with codes as they are stored."""
        return [room_for(array, count) for array in self._arrays]


def _fill(window: Array, rows: Rows, runs: Sequence[slice]) -> None:
    """Copy runs of rows one after the other to `window`, with codes as they are."""
    at = 0
    for run in memory_maps.read_ahead(stored(rows), runs):
        write_rows(unexpanded(rows), run, window[at : at + run.stop - run.start])
        at += run.stop - run.start
