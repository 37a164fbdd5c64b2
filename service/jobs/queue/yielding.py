"""The room that long jobs make for short ones: where they keep all workers busy, one of them gives way for a while."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.database.database import Database
from service.jobs.queue.order import credit
from service.jobs.records import JobRecord
from service.jobs.states import Asked, State

LONG = 1.0
"""Seconds, planned or so far, from which on a job is not short."""
COST = 0.05
"""Seconds that a change of jobs and back may take."""


def to_make_room(database: Database, messages: Collection[str], workers: int) -> str | None:
    """Return the running job that is to give way to a short one that waits; None where there is no need, or no right.

    The workers are those that these messages keep busy. Of the jobs of lowest priority it is the one that has run
    longest. A job gives way to none of lower priority, and for a tenth of its time at the most. Quick, as it is asked
    at every POST.
    """
    first = database.look_up(_FIRST_SHORT, {})
    if first is None:
        return None
    short = _Short(*first)
    busy = [row for row in map(_Running._make, database.look_up_all(_RUNNING, {})) if row.message in messages]
    if len(busy) < workers or any(map(_ends_soon, busy)):
        return None
    may = [
        record
        for record in busy
        if record.priority <= short.priority
        and credit(record.seconds, record.yielded_seconds) >= short.planned_seconds + COST
    ]
    return min(may, key=lambda record: (record.priority, -record.seconds)).id if may else None


class _Short(NamedTuple):
    """A short job that waits."""

    priority: int
    planned_seconds: float


class _Running(NamedTuple):
    """A job that a worker has."""

    id: str
    message: str | None
    priority: int
    asked: str | None
    planned_seconds: float | None
    seconds: float
    yielded_seconds: float
    to_yield: int


_FIRST_SHORT = """
SELECT priority, planned_seconds FROM jobs WHERE state = 'queued' AND planned_seconds < 1
ORDER BY priority DESC, id LIMIT 1
"""
"""With the words of the index `SHORT`."""
_RUNNING = """
SELECT id, message, priority, asked, planned_seconds, seconds, yielded_seconds, to_yield
FROM jobs WHERE state = 'running'
"""


def _ends_soon(record: _Running) -> bool:
    is_short = record.planned_seconds is not None and max(record.planned_seconds, record.seconds) < LONG
    return is_short or bool(record.to_yield) or record.asked in (Asked.CANCEL, Asked.PAUSE)


def ask(session: Session, job: str) -> None:
    """Ask a running job to give way; its worker hears of it in moments."""
    running = JobRecord.id == job, JobRecord.state == State.RUNNING
    session.execute(update(JobRecord).where(*running).values(to_yield=True))


def is_asked(database: Database, job: str) -> bool:
    """Whether a running job is to give way; quick, as its worker asks often."""
    row = database.look_up("SELECT to_yield FROM jobs WHERE id = :job", {"job": job})
    return row is not None and bool(row[0])
