"""Recovery after a crash: running jobs are called back, and files without an owner removed."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from service.database.database import Database
from service.datasets import records as datasets
from service.errors import CannotWrite, DescentError, Unavailable
from service.jobs import queue
from service.storage.storage import Storage

log = logging.getLogger(__name__)


def recover(database: Database, storage: Storage, *, alone: bool) -> None:
    """Call back the jobs that a crash left `running`, remove the datasets that it left `loading`, and sweep files
    without a row.

    A service that is alone (its workers are embedded, and it holds the lock of the database) knows that no other one
    works on them; others wait for the lease to run out.
    """
    try:
        if alone:
            _call_back(database)
        remove_abandoned(database, storage, alone=alone)
    except CannotWrite as error:  # leases that run out do the same later
        log.warning("nothing was recovered yet: %s", error)
    with database.reading() as session:
        known, loading = datasets.ids(session, "ready"), datasets.ids(session, "loading")
    try:
        storage.sweep(known, loading)
    except Unavailable as error:  # the next start sweeps
        log.warning("nothing was swept: %s", error)


def _call_back(database: Database) -> None:
    with database.transaction() as session:
        left = queue.requeue_lost(session, all_running=True)
    if left:
        log.warning("recovered from a stop without a warning: %d jobs that ran go on (%s)", len(left), ", ".join(left))


def remove_abandoned(database: Database, storage: Storage, *, alone: bool = False) -> None:
    """Remove datasets whose loading ended with the service that did it."""
    with database.reading() as session:
        if not datasets.abandoned(session, all_loading=alone):
            return
    with database.transaction() as session:
        lost = datasets.abandoned(session, all_loading=alone)
        for record in lost:
            session.delete(record)
    for record in lost:
        log.warning("dataset %s was still loading when its service ended", record.name)
        storage.delete(record.id)


async def keep_removing_abandoned(database: Database, storage: Storage) -> None:
    """Remove abandoned datasets again and again: services that share a database look after each other."""
    while True:
        await asyncio.sleep(datasets.LEASE.total_seconds() / 5)
        try:
            await run_in_threadpool(remove_abandoned, database, storage)
        except (SQLAlchemyError, DescentError) as error:
            log.warning("abandoned datasets could not be looked for: %s", error)
