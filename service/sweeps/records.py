"""The tables of sweeps and their trials, and every query on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, false, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup, owners
from service.database.database import Database
from service.database.owners import Owned
from service.database.record import AsJson, ByBytes, Record, now
from service.http.json_numbers import JsonObject
from service.jobs.records import JobRecord
from service.jobs.states import ENDED, JobError, State
from service.learning.planning.advice import Advice
from service.learning.training.recipe import Monitored

Method = Literal["grid", "random", "asha"]
SweepState = Literal["running", "paused", "succeeded", "failed"]
UNENDED = text("state IN ('running', 'paused')")
"""Written out, as databases use an index of some rows only where they see the same words."""


@dataclass(frozen=True)
class SweepPlan:
    """Sums over the trials of a sweep."""

    trials: int
    epochs: int
    """Epochs that they train in all; with ASHA where the best three tenths go on from each rung."""
    seconds: float
    """Seconds of workers."""
    bytes: int
    """Bytes that they add to the database until the sweep ends, checkpoints of those that rest among them."""


class SweepRecord(Owned, Record):
    """Many trainings on one dataset, the best of which becomes a version."""

    __tablename__ = "sweeps"
    __table_args__ = (
        UniqueConstraint("owner", "name"),
        Index("ix_sweeps_owner_id", "owner", "id"),
        Index("ix_sweeps_unended", "state", sqlite_where=UNENDED, postgresql_where=UNENDED),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ByBytes)
    model_id: Mapped[str | None]
    """The model that all trials train; where the architecture varies, the one that the best has become."""
    dataset_id: Mapped[str]
    recipe: Mapped[JsonObject] = mapped_column(JSON)
    """As the client wrote it."""
    vary: Mapped[JsonObject] = mapped_column(JSON)
    method: Mapped[Method] = mapped_column(String())
    monitor: Mapped[Monitored] = mapped_column(String())
    seed: Mapped[int] = mapped_column(BigInteger)
    rungs: Mapped[list[int]] = mapped_column(JSON)
    """Epochs at which trials rest; empty where none does."""
    trials: Mapped[int]
    plan: Mapped[SweepPlan] = mapped_column(AsJson.of(SweepPlan))
    advice: Mapped[list[Advice]] = mapped_column(AsJson.of(list[Advice]))
    state: Mapped[SweepState] = mapped_column(String(), default="running")
    is_stopping: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a client asked to end it with the results so far."""
    best_job: Mapped[str | None]
    """The trial that is chosen, once no other can be better."""
    version: Mapped[int | None]
    error: Mapped[JobError | None] = mapped_column(AsJson.of(JobError))
    created_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]


class TrialRecord(Record):
    """One training of a sweep."""

    __tablename__ = "trials"

    sweep_id: Mapped[str] = mapped_column(ForeignKey("sweeps.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str] = mapped_column(unique=True)
    """No foreign key: a sweep takes its jobs with it."""
    varied: Mapped[JsonObject] = mapped_column(JSON)
    losses: Mapped[list[float | None]] = mapped_column(JSON)
    """The monitored loss at each place of rest, null where it was not finite; the last one is that of its result."""
    refused: Mapped[bool | None]
    """Whether its worker decided against serving it; null where no worker compared."""


@dataclass(frozen=True)
class Standing:
    """A trial, and the state of its job."""

    trial: TrialRecord
    job: str
    state: State
    epochs_done: int
    rest_after: int | None
    losses: int = 0
    """Workers that it has lost since its last checkpoint."""

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def waits(self) -> bool:
        """Whether it waits for a worker; one that was lost may wait long, and be lost again."""
        return self.state == State.QUEUED and not self.losses

    @property
    def rests(self) -> bool:
        """Whether it has come to the epoch at which it was to rest."""
        return self.state == State.PAUSED and self.rest_after is not None and self.epochs_done >= self.rest_after


def find(session: Session, reference: str, *, lock: bool = False) -> SweepRecord:
    return lookup.find(session, SweepRecord, reference, "sweep", lock=lock)


def page(session: Session, limit: int, after: str | None) -> tuple[list[SweepRecord], str | None]:
    """The caller's sweeps, newest first."""
    statement = select(SweepRecord).where(owners.own(SweepRecord))
    return lookup.page(session, statement, SweepRecord.id, "swp", limit, after)


def any_running(database: Database) -> bool:
    """Whether a sweep may have moves to make; quick, as it is asked whenever a job may have ended."""
    return database.look_up("SELECT 1 FROM sweeps WHERE state IN ('running', 'paused') LIMIT 1", {}) is not None


def running(session: Session) -> list[str]:
    """Return the ids of the sweeps that may have moves to make."""
    statement = select(SweepRecord.id).where(UNENDED, SweepRecord.state == "running")
    return list(session.scalars(statement.order_by(SweepRecord.id)))


def standings(session: Session, sweep: str) -> list[Standing]:
    """Return the trials of a sweep (an id), by their numbers."""
    job = JobRecord
    columns: Any = (TrialRecord, job.id, job.state, job.epochs_done, job.rest_after, job.losses_since_checkpoint)
    statement = select(*columns).join(JobRecord, JobRecord.id == TrialRecord.job_id)
    rows = session.execute(statement.where(TrialRecord.sweep_id == sweep).order_by(TrialRecord.number))
    return [Standing(trial, job_id, State(state), *counts) for trial, job_id, state, *counts in rows]


def trial_of(session: Session, job: str) -> TrialRecord | None:
    return session.scalar(select(TrialRecord).where(TrialRecord.job_id == job))
