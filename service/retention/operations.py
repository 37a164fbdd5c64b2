"""Retention: rows that are older than their period and needed by nothing are deleted; off unless a period is set."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service.database.database import Database
from service.database.record import now
from service.database.upgrade import give_back
from service.errors import DescentError
from service.jobs import queue
from service.retention import records
from service.startup import allocator

if TYPE_CHECKING:
    from service.settings import Settings

log = logging.getLogger(__name__)

BATCH = 50
"""Rows that one transaction deletes: others wait for its end."""
FEW = 5
"""Jobs whose reports one transaction thins: each writes a thousand rows."""
BREATH = 0.2
"""Seconds between transactions, in which others write: SQLite looks ten times a second whether it is their turn."""
OFTEN, SELDOM = 10.0, 3600.0
"""Seconds between two passes: a tenth of the shortest period, between these."""


@dataclass(frozen=True)
class Kind:
    """One kind of thing with a period of its own."""

    setting: str
    what: str
    find: Callable[..., Sequence[Any]]
    """Takes a session, the time before which things are old and, where it is to look at some alone, their keys."""
    drop: Callable[[Session, Sequence[Any]], None]
    at_once: int = BATCH


KINDS = (
    Kind("keep_epochs", "jobs' surplus of epoch reports", records.jobs_to_thin, records.thin, FEW),
    Kind("keep_jobs", "ended jobs", records.old_jobs, queue.delete_all),
    Kind(
        "keep_checkpoints",
        "last parameters of jobs without a version",
        records.old_last_parameters,
        records.drop_last_parameters,
    ),
    Kind("keep_checkpoints", "kept epochs", records.old_points, records.drop_points),
    Kind("keep_answers", "answers to requests with an Idempotency-Key", records.old_answers, records.drop_answers),
    Kind("keep_versions", "versions", records.old_versions, records.drop_versions),
)
"""All kinds, in their order: jobs go before the versions that they began from."""


def periods(settings: "Settings") -> dict[str, timedelta]:
    """Return the periods that are set, by the names of their settings."""
    found = {kind.setting: getattr(settings, kind.setting) for kind in KINDS}
    return {name: period for name, period in found.items() if period is not None}


def plan(settings: "Settings", database: Database) -> dict[str, int]:
    """Count what would go now, by its kind."""
    with database.reading() as session:
        return {kind.what: len(kind.find(session, before)) for kind, before in _due(settings)}


def _due(settings: "Settings") -> Iterator[tuple[Kind, datetime]]:
    set_periods, moment = periods(settings), now()
    for kind in KINDS:
        if kind.setting in set_periods:
            yield kind, moment - set_periods[kind.setting]


def apply(settings: "Settings", database: Database) -> dict[str, int]:
    """Delete the rows that are due, some at a time, give their pages back to the disk, and return the counts."""
    gone = {kind.what: _drop(database, kind, before) for kind, before in _due(settings)}
    if database.file is not None:
        give_back(database.file)
    return gone


def _drop(database: Database, kind: Kind, before: datetime) -> int:
    """Delete rows of one kind. Each transaction looks at its own again, as one may be needed by now."""
    with database.reading() as session:
        due = kind.find(session, before)
    count = 0
    for begin in range(0, len(due), kind.at_once):
        with database.transaction() as session:
            some = kind.find(session, before, due[begin : begin + kind.at_once])
            if some:
                kind.drop(session, some)
        count += len(some)
        time.sleep(BREATH)
    return count


async def keep_applying(settings: "Settings", database: Database) -> None:
    """Apply retention again and again while the service runs."""
    shortest = min(periods(settings).values(), default=timedelta.max)
    gap = min(max(shortest.total_seconds() / 10, OFTEN), SELDOM)
    while True:
        await asyncio.sleep(gap)
        try:
            gone = await run_in_threadpool(apply, settings, database)
            await run_in_threadpool(allocator.give_back)
        except (SQLAlchemyError, sqlite3.Error, DescentError) as error:
            log.warning("retention could not be applied, trying again: %s", getattr(error, "orig", error))
        else:
            told = ", ".join(f"{count} {what}" for what, count in gone.items() if count)
            if told:
                log.info("retention: %s", told)
