"""The room that long jobs make for short ones: where they keep all workers busy, one of them gives way for a while."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from service.database.database import Database
from service.jobs.queue.order import credit
from service.jobs.records import SHORT, JobRecord
from service.jobs.states import Asked, State

LONG = 1.0
"""Seconds, planned or so far, from which on a job is not short."""
COST = 0.05
"""Seconds that a change of jobs and back may take."""


def to_make_room(session: Session, messages: Collection[str], workers: int) -> str | None:
    """Return the running job that is to give way to a short one that waits; None where there is no need, or no right.

    The workers are those that these messages keep busy. Of the jobs of lowest priority it is the one that has run
    longest. A job gives way to none of lower priority, and for a tenth of its time at the most.
    """
    short = session.execute(_FIRST_SHORT).first()
    if short is None:
        return None
    busy = [row for row in session.execute(_RUNNING) if row.message in messages]
    if len(busy) < workers or any(map(_ends_soon, busy)):
        return None
    may = [
        record
        for record in busy
        if record.priority <= short.priority
        and credit(record.seconds, record.yielded_seconds) >= short.planned_seconds + COST
    ]
    return str(min(may, key=lambda record: (record.priority, -record.seconds)).id) if may else None


_FIRST_SHORT = (
    select(JobRecord.priority, JobRecord.planned_seconds)
    .where(SHORT)
    .order_by(JobRecord.priority.desc(), JobRecord.id)
    .limit(1)
)
_COURSE: Any = JobRecord.planned_seconds, JobRecord.seconds, JobRecord.yielded_seconds, JobRecord.to_yield
_RUNNING = select(JobRecord.id, JobRecord.message, JobRecord.priority, JobRecord.asked, *_COURSE).where(
    JobRecord.state == State.RUNNING
)


def _ends_soon(record: Row[Any]) -> bool:
    is_short = record.planned_seconds is not None and max(record.planned_seconds, record.seconds) < LONG
    return is_short or record.to_yield or record.asked in (Asked.CANCEL, Asked.PAUSE)


def ask(session: Session, job: str) -> None:
    """Ask a running job to give way; its worker hears of it in moments."""
    running = JobRecord.id == job, JobRecord.state == State.RUNNING
    session.execute(update(JobRecord).where(*running).values(to_yield=True))


def is_asked(database: Database, job: str) -> bool:
    """Whether a running job is to give way; quick, as its worker asks often."""
    row = database.look_up("SELECT to_yield FROM jobs WHERE id = :job", {"job": job})
    return row is not None and bool(row[0])
