"""A table that is on its way into the store: columns in a nameless scratch file, block by block, column by column.

Whole columns can then be read in long runs, whatever the number of columns, and no more than a block is in memory.
"""

import io
import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import numpy as np

from service.http.json_numbers import Array

BLOCK_BYTES = 8 << 20
MOST_BLOCK_ROWS = 1 << 16
FEWEST_BLOCK_ROWS = 1 << 10


class Spool(AbstractContextManager["Spool"]):
    """Columns of one dtype. Append rows first, then read; the last block never leaves memory.

    Any number of threads may read.
    """

    def __init__(self, folder: Path, columns: int, dtype: str) -> None:
        self._folder = folder
        self.rows = 0
        self.columns = columns
        self.block_rows = min(
            MOST_BLOCK_ROWS, max(FEWEST_BLOCK_ROWS, BLOCK_BYTES // (columns * np.dtype(dtype).itemsize))
        )
        self._last = np.empty((columns, self.block_rows), dtype)
        self._filled = 0
        self._file = self._new_file()

    def _new_file(self) -> io.FileIO:
        # nameless: it is gone with the process, however that ends
        return tempfile.TemporaryFile(dir=self._folder, buffering=0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def clear(self) -> None:
        """Forget all rows, before any is read."""
        self.rows = self._filled = 0
        self._file.seek(0)
        self._file.truncate()

    @property
    def dtype(self) -> str:
        return self._last.dtype.name

    def widen(self) -> None:
        """Make all columns float64, for numbers that lose too many digits in fewer bits."""
        if self.dtype == "float64":
            return
        narrow, self._file = self._file, self._new_file()
        block = np.empty_like(self._last)
        for start in range(0, self.rows - self._filled, self.block_rows):
            _read(narrow, block, start // self.block_rows * block.nbytes)
            self._write(block.astype(np.float64).data.cast("B"))
        self._last = self._last.astype(np.float64)
        narrow.close()

    def append(self, columns: Sequence[Array]) -> None:
        """Append rows, as one array (rows) for each column."""
        rows = len(columns[0])
        done = 0
        while done < rows:
            count = min(rows - done, self.block_rows - self._filled)
            for stretch, values in zip(self._last, columns, strict=True):
                stretch[self._filled : self._filled + count] = values[done : done + count]
            self._filled += count
            done += count
            if self._filled == self.block_rows:
                self._write(self._last.data.cast("B"))
                self._filled = 0
        self.rows += rows

    def block(self, start: int) -> Array:
        """All columns (columns × rows) of the block that begins at row `start`, a multiple of `block_rows`; a copy."""
        if start + self.block_rows > self.rows:
            return self._last[:, : self._filled].copy()
        block = np.empty_like(self._last)
        _read(self._file, block, start // self.block_rows * self._last.nbytes)
        return block

    def column(self, column: int, start: int, stop: int) -> Array:
        """Rows start to stop of one column; a copy."""
        values = np.empty(stop - start, self._last.dtype)
        row = start
        while row < stop:
            block, within = divmod(row, self.block_rows)
            count = min(stop - row, self.block_rows - within)
            stretch = values[row - start : row - start + count]
            if (block + 1) * self.block_rows > self.rows:
                stretch[:] = self._last[column, within : within + count]
            else:
                at = (block * self.columns + column) * self.block_rows + within
                _read(self._file, stretch, at * values.itemsize)
            row += count
        return values

    def _write(self, data: memoryview) -> None:
        while data:  # a disk that is filling up takes a piece, and fails the next time
            data = data[self._file.write(data) :]


def _read(file: io.FileIO, out: Array, offset: int) -> None:
    count = os.preadv(file.fileno(), [out.data.cast("B")], offset)
    assert count == out.nbytes, "the scratch file lost its end"
