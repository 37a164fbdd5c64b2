"""The order of the jobs that wait."""

import math
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, exists, func, select
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
    found = _best(session, by_turns=by_turns)
    return None if found is None else found.id


class _Waiting(NamedTuple):
    id: str
    priority: int


def _best(session: Session, *, by_turns: bool) -> _Waiting | None:
    first = session.execute(_FIRST_BY_TURN if by_turns else _FIRST_BY_AGE).first()
    if first is None:
        return None
    yielded = [each for each in _yielded(session) if each.priority == first.priority]
    if not yielded:
        return _Waiting(*first)
    if now() < max(map(_until, yielded)):
        short = select(JobRecord.id, JobRecord.priority).where(SHORT, JobRecord.priority == first.priority)
        found = session.execute(short.order_by(JobRecord.id).limit(1)).first()
        if found is not None:
            return _Waiting(*found)
    chosen = min(yielded, key=_until)
    return _Waiting(chosen.id, chosen.priority)


# made once, and of columns of the table: to make a statement takes longer than to execute it, and so do records
_JOBS = JobRecord.metadata.tables["jobs"]
_HIGHEST = select(func.max(_JOBS.c.priority)).where(WAITING).scalar_subquery()
_FIRST = select(_JOBS.c.id, _JOBS.c.priority).where(WAITING, _JOBS.c.priority == _HIGHEST).limit(1)
_FIRST_BY_AGE, _FIRST_BY_TURN = _FIRST.order_by(_JOBS.c.id), _FIRST.order_by(_JOBS.c.turn, _JOBS.c.id)
_OF_PRIORITY = WAITING, _JOBS.c.priority == bindparam("priority")


def best_few(session: Session, *, by_turns: bool, workers: int) -> list[str]:
    """Return the best job; where it is tiny, with those that follow it, as long as these are tiny, too.

    Together they take no longer than `TINY`, and leave the other workers as many.
    """
    following = _FOLLOWING_BY_TURN if by_turns else _FOLLOWING_BY_AGE
    candidates: list[Row[Any]] = list(session.execute(following, {"most": MOST_TINY * workers}))
    if not candidates:
        return []
    first = _best(session, by_turns=by_turns) if candidates[0].any_yielded else candidates[0]
    chosen, seconds = [], 0.0
    for row in candidates[: max(1, len(candidates) // workers)]:
        seconds += row.planned_seconds if _is_tiny(row) else math.inf
        if seconds > TINY:
            break
        chosen.append(str(row.id))
    return chosen if first is None or first.id in chosen else [first.id]


_FEW: Any = _JOBS.c.id, _JOBS.c.planned_seconds, _JOBS.c.attempt, _JOBS.c.max_attempts, _JOBS.c.serve
_OTHER = _JOBS.alias()
_ANY_YIELDED = exists(select(_OTHER.c.id).where(YIELDED)).label("any_yielded")
_FOLLOWING = (
    select(*_FEW, _JOBS.c.verifies, _ANY_YIELDED).where(WAITING, _JOBS.c.priority == _HIGHEST).limit(bindparam("most"))
)
_FOLLOWING_BY_AGE = _FOLLOWING.order_by(_JOBS.c.id)
_FOLLOWING_BY_TURN = _FOLLOWING.order_by(_JOBS.c.turn, _JOBS.c.id)


def _is_tiny(row: Row[Any]) -> bool:
    """Whether a job may share its end with others: it harms none of them if it takes the worker down for once."""
    untried = row.attempt == 0 and row.max_attempts > 1
    return untried and row.planned_seconds is not None and row.serve != "if_better" and row.verifies is None


def _yielded(session: Session) -> list[Row[Any]]:
    """Return the jobs that have yielded and wait."""
    return [row for row in session.execute(_YIELDED) if row.state == State.QUEUED]


_KEPT: Any = JobRecord.state, JobRecord.seconds, JobRecord.yielded_at, JobRecord.yielded_seconds
_YIELDED = select(JobRecord.id, JobRecord.priority, *_KEPT).where(YIELDED)


def _until(yielded: Row[Any]) -> datetime:
    """Return the time at which a job has yielded enough."""
    until: datetime = yielded.yielded_at + timedelta(seconds=credit(yielded.seconds, yielded.yielded_seconds))
    return until


def credit(seconds: float, yielded_seconds: float) -> float:
    """Return the seconds that a job may yield, after it had workers and has yielded for so long."""
    return YIELDED_SHARE * seconds - yielded_seconds


def turn_of_new(session: Session, submitter: str, priority: int) -> int:
    """Return the turn of a new job: level with the first that waits, or behind the last of the same submitter."""
    first, own = session.execute(_TURNS, {"priority": priority, "submitter": submitter}).one()
    return int(max(first or 0, -1 if own is None else own) + (own is not None))


_OWN = *_OF_PRIORITY, _JOBS.c.submitter == bindparam("submitter")
_TURNS = select(
    select(func.min(_JOBS.c.turn)).where(*_OF_PRIORITY).scalar_subquery(),
    select(func.max(_JOBS.c.turn)).where(*_OWN).scalar_subquery(),
)
