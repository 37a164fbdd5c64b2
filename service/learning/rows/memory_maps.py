"""Memory maps of files larger than memory: pages are requested before they are read, and released behind."""

import mmap
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAGE = mmap.PAGESIZE
STRETCH = 1 << 23  # bytes that are released at once: each time costs a system call


def read_ahead(array: NDArray[Any], runs: Iterable[slice]) -> Iterator[slice]:
    """Yield the runs of rows, requested from the disk all at once; release each when the next one is taken."""
    for run in runs:
        advise(array, run.start, run.stop, mmap.MADV_WILLNEED)
        yield run
        advise(array, run.start, run.stop, mmap.MADV_DONTNEED)


def drop_behind(array: NDArray[Any], start: int, stop: int) -> None:
    """Release the pages behind a sequential reader of rows start to stop, a few megabytes at a time."""
    row = array.strides[0]
    if row > 0 and start * row // STRETCH != stop * row // STRETCH:
        advise(array, start * row // STRETCH * STRETCH // row, stop, mmap.MADV_DONTNEED)


def advise(array: NDArray[Any], start: int, stop: int, advice: int) -> None:
    """Give `madvise` advice on the pages of rows start to stop, if the array is part of a memory map."""
    mapping = mapping_of(array)
    if mapping is None or not array.flags.c_contiguous or array.flags.writeable:
        return  # what is written to a private map lives in its pages alone
    rows = array[start:stop]
    base = np.frombuffer(mapping, np.uint8).__array_interface__["data"][0]
    first = rows.__array_interface__["data"][0] - base
    begin, end = first // PAGE * PAGE, first + rows.nbytes
    mapping.madvise(advice, begin, end - begin)


def mapping_of(array: Any) -> mmap.mmap | None:
    """Return the memory map that an array is a view of."""
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array
