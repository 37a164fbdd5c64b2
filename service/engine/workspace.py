"""Per-process resources of a worker: database, dataset storage, niceness and one BLAS thread."""

import logging
import os
import resource
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from service.database.database import Database
from service.startup.private_folder import close_new_files
from service.storage.storage import Storage
from service.telemetry import logs

if TYPE_CHECKING:
    from service.engine.ending import Together

UNIT_OF_PEAK = 1 if sys.platform == "darwin" else 1024
"""Bytes; the unit of ru_maxrss."""

NICENESS = 10
"""Requests go before training where both want a processor."""


@dataclass(frozen=True)
class Workspace:
    database: Database
    """The database for claims and ends: commits reach the disk."""
    beats: Database
    """The same database, where the last moments may be lost in a power failure: they can be computed again."""
    storage: Storage
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


@cache
def workspace_at(place: Place) -> Workspace:
    """Return the workspace of this worker process for a place, made at its first message."""
    if not logging.getLogger().handlers:  # a worker of another cluster may have logging of its own
        logs.set_up()
    os.nice(max(0, NICENESS - os.nice(0)))
    close_new_files()
    # One thread for BLAS: workers share the machine, and the number of threads decides the last bits of a sum.
    threadpool_limits(1, user_api="blas")
    return Workspace(
        Database(place.database_url),
        Database(place.database_url, synchronous="NORMAL"),
        Storage(place.storage, place.cache),
    )


def peak_memory() -> int:
    """Return the most bytes that this process has had resident so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT_OF_PEAK
