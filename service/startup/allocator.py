"""glibc's allocator: the memory that a process keeps once it is free. Another C library does as it likes."""

import ctypes
from contextlib import suppress

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h, settings in bytes."""


def keep_pages() -> None:
    """Keep the memory of one large body for the next: the system takes long to give its pages anew."""
    _set({MMAP_THRESHOLD: 32 << 20, TRIM_THRESHOLD: 64 << 20})


def keep_little() -> None:
    """Keep as little as Dask lets workers keep that are not forked."""
    _set({TRIM_THRESHOLD: 1 << 16})


def give_back() -> None:
    """Give all free pages back, also those below what still lives, which each thread's heap keeps otherwise."""
    with suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _set(sizes: dict[int, int]) -> None:
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for setting, size in sizes.items():
            mallopt(setting, size)
