"""The tables of jobs, and every query on them but those of the queue."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    bindparam,
    delete,
    exists,
    false,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup
from service.database.database import Database
from service.database.labels import Labelled
from service.database.lookup import Filters
from service.database.owners import Owned, is_own
from service.database.record import AsJson, Record, now
from service.errors import NotFound
from service.jobs.receipts import Outcome, Receipt
from service.jobs.recipe import JobRecipe, Plan
from service.jobs.states import MAX_LOSSES_OF_WORKER, JobError, State, Wish
from service.learning.planning.advice import Advice
from service.models.records import Serve, VersionRecord

WAITING = text("state = 'queued'")
"""Written out, as databases use an index of some rows only where they see the same words. `state` stands in the index,
too, so that SQLite prefers it to others that begin with it."""


SHORT = text("state = 'queued' AND planned_seconds < 1")
"""The jobs that wait and by their plan take less than a second."""
YIELDED = text("yielded_at IS NOT NULL")
OF_SWEEP, OF_FOLDS = text("sweep IS NOT NULL"), text("cross_validation IS NOT NULL")


def _index_of_waiting(name: str, *columns: str) -> Index:
    return Index(f"ix_jobs_waiting_{name}", *columns, sqlite_where=WAITING, postgresql_where=WAITING)


class JobRecord(Labelled, Owned, Record):
    """One training of one model on one dataset by one recipe."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_id", "state", "id"),
        Index("ix_jobs_owner_id", "owner", "id"),
        ForeignKeyConstraint(["held_model_id", "held_version"], ["versions.model_id", "versions.number"]),
        _index_of_waiting("by_age", "state", "priority", "id"),
        _index_of_waiting("by_turn", "state", "priority", "turn", "id"),
        _index_of_waiting("of_submitter", "submitter", "priority", "turn"),
        Index("ix_jobs_waiting_short", "state", "priority", "id", sqlite_where=SHORT, postgresql_where=SHORT),
        Index("ix_jobs_yielded_at", "yielded_at", sqlite_where=YIELDED, postgresql_where=YIELDED),
        # few jobs hold anything; deleting a model or dataset asks these
        Index("ix_jobs_held_model_id", "held_model_id", sqlite_where=text("held_model_id IS NOT NULL")),
        Index("ix_jobs_sweep", "sweep", "id", sqlite_where=OF_SWEEP, postgresql_where=OF_SWEEP),
        Index("ix_jobs_cross_validation", "cross_validation", "id", sqlite_where=OF_FOLDS, postgresql_where=OF_FOLDS),
        Index("ix_jobs_held_dataset_id", "held_dataset_id", sqlite_where=text("held_dataset_id IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[str] = mapped_column(index=True)
    """No foreign key: a job outlives its model and its dataset."""
    dataset_id: Mapped[str] = mapped_column(index=True)
    held_model_id: Mapped[str | None] = mapped_column(ForeignKey("models.id"))
    """The model while the job has not ended, so that it cannot be deleted; then null."""
    held_version: Mapped[int | None]
    """Likewise the version that it begins from."""
    held_dataset_id: Mapped[str | None] = mapped_column(ForeignKey("datasets.id"))
    """Likewise the dataset."""
    recipe: Mapped[JobRecipe] = mapped_column(AsJson.of(JobRecipe))
    plan: Mapped[Plan] = mapped_column(AsJson.of(Plan))
    advice: Mapped[list[Advice]] = mapped_column(AsJson.of(list[Advice]))

    serve: Mapped[Serve] = mapped_column(String(), default="always", server_default="always")
    """The wish whether its version is served."""
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    """Jobs with a larger one get a worker before others."""
    submitter: Mapped[str] = mapped_column(default="", server_default=text("''"))
    """The sender's label, by which jobs take turns; empty for all senders without one."""
    turn: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """The place among the jobs of its priority where submitters take turns."""
    planned_seconds: Mapped[float | None]
    """The plan's estimate, where queries see it; null in jobs from before."""
    to_yield: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its worker is to go to a short job that waits."""
    yielded_at: Mapped[datetime | None]
    """The time since when it waits because its worker went to a short job; null once it has a worker again."""
    yielded_seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    """Seconds that it has waited so before."""
    state: Mapped[str] = mapped_column(default=State.QUEUED)
    asked: Mapped[str | None]
    pending: Mapped[Wish | None] = mapped_column(AsJson(Wish.from_json, asdict))
    """Changes of the training that a client asked for, until its worker has made them."""
    message: Mapped[str | None]
    """The message to the engine by which a worker claimed the job."""
    attempt: Mapped[int] = mapped_column(default=0)
    """Claims so far; a worker writes only while it holds the latest."""
    losses_of_worker: Mapped[int] = mapped_column(default=0)
    """Losses of workers in all."""
    losses_since_checkpoint: Mapped[int] = mapped_column(default=0, server_default="0")
    """Losses since a checkpoint that was further on than the one before; too many fail the job."""
    ends_of_workers: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """The ends of these workers, in words, as far as they are known."""
    peak_memory: Mapped[int | None] = mapped_column(BigInteger)
    """The most bytes that the worker process had resident by its last beat."""
    beat: Mapped[datetime | None]

    max_seconds: Mapped[float | None]
    """Seconds of workers after which the job stops."""
    max_attempts: Mapped[int] = mapped_column(default=MAX_LOSSES_OF_WORKER, server_default=str(MAX_LOSSES_OF_WORKER))
    """Losses of workers since a checkpoint that advanced, after which the job fails."""
    seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    """Seconds that workers had the job, up to the last beat."""
    progress: Mapped[float] = mapped_column(default=0.0)
    epochs_done: Mapped[int] = mapped_column(default=0)
    initial_loss: Mapped[float | None]
    final_loss: Mapped[float | None]
    best_epoch: Mapped[int | None]
    best_loss: Mapped[float | None]
    best_of: Mapped[str | None]
    version: Mapped[int | None]
    ended_by: Mapped[str | None]
    error: Mapped[JobError | None] = mapped_column(AsJson.of(JobError))
    receipt: Mapped[Receipt | None] = mapped_column(AsJson.of(Receipt))
    """Everything that must be the same for another training to produce the same bytes, and their hash."""
    verifies: Mapped[str | None]
    """The job that this one trains again, to compare the bytes; it adds no version."""
    verification: Mapped[Outcome | None] = mapped_column(AsJson.of(Outcome))
    """The outcome of that training."""
    sweep: Mapped[str | None]
    """The sweep that it is a trial of; it adds no version, unless the sweep chooses it at its end."""
    cross_validation: Mapped[str | None]
    """The cross-validation that it trains a fold of; it adds no version."""
    rest_after: Mapped[int | None]
    """The epoch after which it rests, until its sweep lets it go on."""
    trace: Mapped[str | None]
    """The W3C traceparent of the request that sent it, where traces were sent then."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Group:
    """The sweep or cross-validation whose jobs a client wants to see; of none, those that belong to neither."""

    sweep: str | None = None
    cross_validation: str | None = None


class CheckpointRecord(Record):
    """The whole state of a training, from which another worker continues when one is lost."""

    __tablename__ = "checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[bytes]


def find(session: Session, job: str, *, lock: bool = False) -> JobRecord:
    record = session.get(JobRecord, job, with_for_update=True if lock else None)
    if record is None or not is_own(record):
        raise NotFound(f"There is no job {job!r}.", "job_not_found")
    return record


def page(
    session: Session,
    limit: int,
    after: str | None,
    state: str | None,
    model: str | None,
    dataset: str | None,
    group: Group,
    filters: Filters,
) -> tuple[list[JobRecord], str | None]:
    """Jobs, newest first; `model` and `dataset` are ids."""
    statement, key = lookup.filtered(select(JobRecord), JobRecord, "job", filters)
    for column, value in ((JobRecord.state, state), (JobRecord.model_id, model), (JobRecord.dataset_id, dataset)):
        if value is not None:
            statement = statement.where(column == value)
    for part, whole in ((JobRecord.sweep, group.sweep), (JobRecord.cross_validation, group.cross_validation)):
        if whole is not None or group == Group():
            statement = statement.where(part == whole)
    return lookup.page(session, statement, key, "job", limit, after)


def advice_of(session: Session, job: str) -> list[Advice]:
    """Return the advice that a job has by now: a change of its training may have added some."""
    advice: list[Advice] = session.execute(_ADVICE, {"job": job}).scalar_one()
    return advice


_JOBS = Record.metadata.tables["jobs"]
_ADVICE = select(_JOBS.c.advice).where(_JOBS.c.id == bindparam("job"))


def checkpoint(session: Session, job: str) -> bytes | None:
    return session.scalar(select(CheckpointRecord.state).where(CheckpointRecord.job_id == job))


def save_checkpoint(session: Session, job: str, state: bytes) -> None:
    replaced = session.execute(
        update(CheckpointRecord)
        .where(CheckpointRecord.job_id == job)
        .values(state=state)
        .returning(CheckpointRecord.job_id)
    )
    if replaced.first() is None:
        session.add(CheckpointRecord(job_id=job, state=state))


def delete_checkpoint(session: Session, job: str) -> None:
    session.execute(_DELETE_CHECKPOINT, {"job": job})


_CHECKPOINTS = Record.metadata.tables["checkpoints"]
_DELETE_CHECKPOINT = delete(_CHECKPOINTS).where(_CHECKPOINTS.c.job_id == bindparam("job"))


_PROGRESS = select(JobRecord.id, JobRecord.state, JobRecord.epochs_done, JobRecord.progress).where(
    JobRecord.id.in_(bindparam("jobs", expanding=True))
)


def progress_of(session: Session, jobs: list[str]) -> dict[str, tuple[str, int, float]]:
    """State, epochs done and progress of some jobs, by which a watcher sees changes."""
    rows = session.execute(_PROGRESS, {"jobs": jobs})
    return {id: (state, done, progress) for id, state, done, progress in rows}


def seen(database: Database, job: str) -> tuple[str, int, float] | None:
    """The same of one job, by a query without a session; None where the job is gone."""
    row = database.look_up("SELECT state, epochs_done, progress FROM jobs WHERE id = :job", {"job": job})
    return None if row is None else (str(row[0]), int(row[1]), float(row[2]))


def trainings(session: Session, model: str, limit: int, before: int | None) -> list[JobRecord]:
    """The jobs that have added the newest versions that a model (an id) still has, below `before` where it is given, at
    most so many, newest version first.
    """
    kept = exists().where(VersionRecord.model_id == model, VersionRecord.number == JobRecord.version)
    statement = select(JobRecord).where(JobRecord.model_id == model, kept)
    if before is not None:
        statement = statement.where(JobRecord.version < before)
    return list(session.scalars(statement.order_by(JobRecord.version.desc()).limit(limit)))
