"""The order of the jobs that wait."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from service.database.record import now
from service.jobs.records import SHORT, WAITING, YIELDED, JobRecord
from service.jobs.states import State

YIELDED_SHARE = 0.1
"""Seconds that a job yields at the most for each second that workers had it."""

TINY = 0.25
"""Seconds that jobs may take together, by their plans, which one worker takes at once."""
MOST_TINY = 16
"""The number of such jobs."""


def best(session: Session, *, by_turns: bool = False) -> str | None:
    """Return the queued job that is the next to get a worker: by priority, then, where asked, turns, then age.

    Among those of its priority, a job that has yielded comes first; but until it has yielded enough, behind short ones.
    """
    highest = select(func.max(JobRecord.priority)).where(WAITING).scalar_subquery()
    statement = select(JobRecord.id, JobRecord.priority).where(WAITING, JobRecord.priority == highest)
    order = (JobRecord.turn, JobRecord.id) if by_turns else (JobRecord.id,)
    first = session.execute(statement.order_by(*order).limit(1)).first()
    if first is None:
        return None
    yielded = [each for each in _yielded(session) if each.priority == first.priority]
    if not yielded:
        return str(first.id)
    if now() < max(map(_until, yielded)):
        short = select(JobRecord.id).where(SHORT, JobRecord.priority == first.priority).order_by(JobRecord.id)
        if (found := session.scalar(short.limit(1))) is not None:
            return found
    return str(min(yielded, key=_until).id)


def best_few(session: Session, *, by_turns: bool, workers: int) -> list[str]:
    """Return the best job; where it is tiny, with those that follow it, as long as these are tiny, too.

    Together they take no longer than `TINY`, and leave the other workers as many.
    """
    first = best(session, by_turns=by_turns)
    if first is None:
        return []
    few = [JobRecord.id, JobRecord.planned_seconds, JobRecord.attempt, JobRecord.max_attempts, JobRecord.serve]
    priority = select(JobRecord.priority).where(JobRecord.id == first).scalar_subquery()
    following = select(*few, JobRecord.verifies).where(WAITING, JobRecord.priority == priority)
    order = (JobRecord.turn, JobRecord.id) if by_turns else (JobRecord.id,)
    rows: Iterable[Row[Any]] = session.execute(following.order_by(*order).limit(MOST_TINY * workers))
    candidates = list(rows)
    chosen, seconds = [], 0.0
    for row in candidates[: max(1, len(candidates) // workers)]:
        seconds += row.planned_seconds if _is_tiny(row) else math.inf
        if seconds > TINY:
            break
        chosen.append(str(row.id))
    return chosen if first in chosen else [first]


def _is_tiny(row: Row[Any]) -> bool:
    """Whether a job may share its end with others: it harms none of them if it takes the worker down for once."""
    untried = row.attempt == 0 and row.max_attempts > 1
    return untried and row.planned_seconds is not None and row.serve != "if_better" and row.verifies is None


def _yielded(session: Session) -> list[Row[Any]]:
    """Return the jobs that have yielded and wait."""
    kept = (JobRecord.seconds, JobRecord.yielded_at, JobRecord.yielded_seconds)
    rows: Iterable[Row[Any]] = session.execute(
        select(JobRecord.id, JobRecord.state, JobRecord.priority, *kept).where(YIELDED)
    )
    return [row for row in rows if row.state == State.QUEUED]


def _until(yielded: Row[Any]) -> datetime:
    """Return the time at which a job has yielded enough."""
    until: datetime = yielded.yielded_at + timedelta(seconds=credit(yielded.seconds, yielded.yielded_seconds))
    return until


def credit(seconds: float, yielded_seconds: float) -> float:
    """Return the seconds that a job may yield, after it had workers and has yielded for so long."""
    return YIELDED_SHARE * seconds - yielded_seconds


# made once: to make a statement takes longer than to execute it
_OF_PRIORITY = WAITING, JobRecord.priority == bindparam("priority")
_FIRST = select(func.min(JobRecord.turn)).where(*_OF_PRIORITY)
_LAST = select(func.max(JobRecord.turn)).where(*_OF_PRIORITY, JobRecord.submitter == bindparam("submitter"))


def turn_of_new(session: Session, submitter: str, priority: int) -> int:
    """Return the turn of a new job: level with the first that waits, or behind the last of the same submitter."""
    first = session.scalar(_FIRST, {"priority": priority})
    own = session.scalar(_LAST, {"priority": priority, "submitter": submitter})
    return max(first or 0, -1 if own is None else own) + (own is not None)
