"""Per-process resources of a worker: database, dataset storage, niceness and one BLAS thread."""

import logging
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from service.database.database import Database
from service.startup.private_folder import close_new_files
from service.storage.storage import Storage
from service.telemetry import logs
from service.telemetry.traces import tracing

if TYPE_CHECKING:
    from service.engine.ends.ending import Together

UNIT_OF_PEAK = 1 if sys.platform == "darwin" else 1024
"""Bytes; the unit of ru_maxrss."""

STATUS = Path("/proc/self/status")
USED, PROMISED = "RssAnon", "VmData"
ROOM_FOR_STACKS = 16 << 20
"""Bytes of address space for the stacks of threads that are yet to start."""
LARGE_FOR_BLAS = 300
"""Rows of a matrix that OpenBLAS multiplies piece by piece."""

NICENESS = 10
"""Requests go before training where both want a processor."""


@dataclass(frozen=True)
class Workspace:
    database: Database
    """The database for ends: commits reach the disk."""
    beats: Database
    """The same database, for claims and what is written under them, of which the last moments may be lost in a power
    failure: they can be computed again.
    """
    storage: Storage
    memory: int | None = None
    """Bytes that this process may use while it trains; None: as many as there are."""
    together: "Together | None" = None
    """The ends of the jobs that were claimed together, where this is one of them."""


@dataclass(frozen=True)
class Place:
    """The places of a service's data; sent with each message, so that a worker needs to know nothing before."""

    database_url: str
    storage: str
    """A folder, or the address of a bucket."""
    cache: Path
    """Folder of copies of a bucket's datasets."""
    memory: int | None = None
    """Bytes that a worker may use."""
    traced: bool = False
    """Whether the service sends traces; a worker does so, too, where its own environment asks for them."""


@cache
def workspace_at(place: Place) -> Workspace:
    """Return the workspace of this worker process for a place, made at its first message."""
    if not logging.getLogger().handlers:  # a worker of another cluster may have logging of its own
        logs.set_up()
    os.nice(max(0, NICENESS - os.nice(0)))
    close_new_files()
    # One thread for BLAS: workers share the machine, and the number of threads decides the last bits of a sum.
    threadpool_limits(1, user_api="blas")
    if place.traced:
        tracing.start()
    if place.memory is not None:
        _make_room_for_blas()
    return Workspace(
        Database(place.database_url),
        Database(place.database_url, synchronous="NORMAL"),
        Storage(place.storage, place.cache),
        place.memory,
    )


def _make_room_for_blas() -> None:
    """Let OpenBLAS take the memory that it works in and keeps: where there is none left, it waits for ever."""
    for dtype in (np.float32, np.float64):
        square = np.ones((LARGE_FOR_BLAS, LARGE_FOR_BLAS), dtype)
        square.dot(square)


@contextmanager
def limited_memory(most: int | None) -> Iterator[None]:
    """Let this process have no more than `most` bytes of its own meanwhile: where it takes more there is a MemoryError.

    Pages of files that are mapped do not count, nor does room that it was promised before and has not used. Linux alone
    keeps such limits.
    """
    own = _own_memory() if most is not None else None
    if most is None or own is None:
        yield
        return
    used, promised = own
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = most + promised - used + ROOM_FOR_STACKS
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _own_memory() -> tuple[int, int] | None:
    """Return the bytes that this process has in memory for itself, and those that it may write to; None without
    Linux's files about processes.
    """
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return None
    sizes = {
        name: int(value.split()[0]) << 10
        for name, _, value in (each.partition(":") for each in lines)
        if name in (USED, PROMISED)
    }
    return (sizes[USED], sizes[PROMISED]) if len(sizes) == 2 else None


def peak_memory() -> int:
    """Return the most bytes that this process has had resident so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT_OF_PEAK
