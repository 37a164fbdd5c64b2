"""The statements by which workers take jobs, and write for them.

They are made once: to make a statement takes longer than to execute it.
"""

from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from service.database.record import UtcDateTime, now
from service.jobs.records import JobRecord
from service.jobs.states import State, Wish

_JOBS = JobRecord.metadata.tables["jobs"]
_OF = _JOBS.c.id == bindparam("job")
_RUNS = _JOBS.c.state == State.RUNNING

_TAKE = (
    update(_JOBS)
    .values(
        state=State.RUNNING,
        attempt=_JOBS.c.attempt + 1,
        message=bindparam("ticket"),
        beat=bindparam("at"),
        started_at=func.coalesce(_JOBS.c.started_at, bindparam("at", type_=UtcDateTime())),
    )
    .returning(_JOBS.c.attempt, _JOBS.c.epochs_done)
)
_TAKE_QUEUED = _TAKE.where(_OF, _JOBS.c.state == State.QUEUED)
_TAKE_OVER = _TAKE.where(_OF, _RUNS, _JOBS.c.message == bindparam("ticket")).values(
    losses_of_worker=_JOBS.c.losses_of_worker + 1, losses_since_checkpoint=_JOBS.c.losses_since_checkpoint + 1
)
_HELD = _JOBS.c.attempt == bindparam("held")
_WRITE = update(_JOBS).where(_OF, _RUNS, _HELD).returning(_JOBS.c.asked, _JOBS.c.pending)


class Taken(NamedTuple):
    """The attempt that begins, and the epochs done before it."""

    attempt: int
    epochs_done: int


def take(session: Session, job: str, ticket: str) -> Taken | None:
    """Make a queued job a running one; None where it is not free."""
    return _taken(session, _TAKE_QUEUED, job, ticket)


def take_over(session: Session, job: str, ticket: str) -> Taken | None:
    """Do the same for a running job that this ticket had taken before, whose worker is lost."""
    return _taken(session, _TAKE_OVER, job, ticket)


def _taken(session: Session, statement: ReturningUpdate[Any, Any], job: str, ticket: str) -> Taken | None:
    row = session.execute(statement, {"job": job, "ticket": ticket, "at": now()}).one_or_none()
    return None if row is None else Taken(*row)


class Wishes(NamedTuple):
    """A request of a client to a job, and the changes of its training that are to take hold."""

    asked: str | None
    pending: Wish | None


def write(session: Session, job: str, attempt: int, **values: Any) -> Wishes | None:
    """Change a running job on behalf of its worker; None where the worker has lost its claim, and nothing changes."""
    given = {"job": job, "held": attempt, "beat": now(), **values}
    row = session.execute(_WRITE, given).one_or_none()
    return None if row is None else Wishes(*row)
