"""The table of events in the lives of jobs, and every query on it."""

from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, bindparam, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database.record import AsJson, Record, now
from service.learning.training.changes import Change, Place


class Happening(StrEnum):
    """A kind of entry in a job's log."""

    ASKED = "asked"
    """A client asked for something."""
    CLAIMED = "claimed"
    """A worker took the job."""
    WORKER_LOST = "worker_lost"
    """The worker ended before the job."""
    RELEASED = "released"
    """The worker was stopped, with the service or to be replaced, or gave back what it had taken with other jobs."""
    PAUSED = "paused"
    """The job rests from here on."""
    RESUMED = "resumed"
    """A client let the job go on."""
    PROMOTED = "promoted"
    """A sweep lets the job go on from where it rests: it is one of the best."""
    YIELDED = "yielded"
    """The worker went to a short job that waited."""
    RATE_CHANGED = "rate_changed"
    """Another rate holds from here on."""
    FROZEN_CHANGED = "frozen_changed"
    """Other layers rest from here on."""
    BACKED_OFF = "backed_off"
    """The training would have diverged, and went back to better parameters."""
    REFIT_BEGUN = "refit_begun"
    """All rows train anew, for as many epochs as were best."""
    REFIT_DROPPED = "refit_dropped"
    """They do not, or to no result: the parameters of the best epoch stay."""
    STOPPED = "stopped"
    """The training ended here because a client or `max_seconds` asked."""


def _change_of(kept: Any) -> Change:
    frozen = kept["frozen"]
    return Change(Place(*kept["place"]), kept["rate"], None if frozen is None else tuple(frozen), kept["stop"])


class LogRecord(Record):
    """One entry in the log of a job."""

    __tablename__ = "job_log"
    __table_args__ = (Index("ix_job_log_job_id_id", "job_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    epoch: Mapped[int | None]
    """Epochs that were done; null before any."""
    batch: Mapped[int | None]
    """Batches of the next epoch that were done; null where nobody knew."""
    event: Mapped[str]
    detail: Mapped[str]
    change: Mapped[Change | None] = mapped_column(AsJson(_change_of, asdict))
    """A change of the training with its exact place, by which another training repeats it."""


def add(session: Session, job: str, event: Happening, detail: str, **values: Any) -> None:
    """Write an entry."""
    session.execute(_ADD, {"job_id": job, "at": now(), "event": event, "detail": detail, **values})


# statements of every job are made once: to make one takes longer than to execute it
_ADD = insert(Record.metadata.tables["job_log"])
_COUNT = select(func.count()).where(LogRecord.job_id == bindparam("job"), LogRecord.event == bindparam("of"))
_CHANGES = (
    select(LogRecord.change)
    .where(LogRecord.job_id == bindparam("job"), LogRecord.change.is_not(None))
    .order_by(LogRecord.id)
)


def page(session: Session, job: str, after: int, limit: int) -> list[LogRecord]:
    """Entries behind the one with the number `after`, oldest first."""
    statement = select(LogRecord).where(LogRecord.job_id == job, LogRecord.id > after)
    return list(session.scalars(statement.order_by(LogRecord.id).limit(limit)))


def count(session: Session, job: str, event: Happening) -> int:
    """Count the entries of one kind."""
    return session.scalar(_COUNT, {"job": job, "of": event}) or 0


def changes(session: Session, job: str) -> list[Change]:
    """The changes of a job's training in the order in which they took hold."""
    found = session.scalars(_CHANGES, {"job": job})
    return [change for change in found if change is not None]
