"""The tables of jobs, and every query on them but those of the queue."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup
from service.database.record import AsJson, Record, now
from service.errors import NotFound
from service.jobs.receipts import Outcome, Receipt
from service.jobs.recipe import JobRecipe, Plan
from service.jobs.reports.packing import BLOCK, FIELDS, Block, Reports, joined, pack, reports_of, unpack
from service.jobs.states import MAX_LOSSES_OF_WORKER, JobError, State, Wish
from service.learning.planning.advice import Advice
from service.models.records import Serve, VersionRecord

SHORT_STRETCH = 32
"""Epochs of a stretch that is read as a whole."""
BLOCKS_AT_ONCE = 200
"""Blocks read from the database at a time: some megabytes."""


class JobRecord(Record):
    """One training of one model on one dataset by one recipe."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_id", "state", "id"),
        ForeignKeyConstraint(["held_model_id", "held_version"], ["versions.model_id", "versions.number"]),
        # few jobs hold anything; deleting a model or dataset asks these
        Index("ix_jobs_held_model_id", "held_model_id", sqlite_where=text("held_model_id IS NOT NULL")),
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

    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class EpochRecord(Record):
    """The report of one epoch, in databases from before blocks of reports; no rows are added any more."""

    __tablename__ = "epochs"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - SQLAlchemy's own form

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    train_loss: Mapped[float]
    validation_loss: Mapped[float | None]
    rate: Mapped[float | None]
    gradient_norm: Mapped[float | None]
    seconds: Mapped[float]


class ReportsRecord(Record):
    """A block of the reports of a job, packed."""

    __tablename__ = "reports"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """The epoch of the first report."""
    length: Mapped[int]
    columns: Mapped[bytes]


class CheckpointRecord(Record):
    """The whole state of a training, from which another worker continues when one is lost."""

    __tablename__ = "checkpoints"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[bytes]


def find(session: Session, job: str, *, lock: bool = False) -> JobRecord:
    record = session.get(JobRecord, job, with_for_update=True if lock else None)
    if record is None:
        raise NotFound(f"There is no job {job!r}.", "job_not_found")
    return record


def page(
    session: Session, limit: int, after: str | None, state: str | None, model: str | None, dataset: str | None
) -> tuple[list[JobRecord], str | None]:
    """Jobs, newest first; `model` and `dataset` are ids."""
    statement = select(JobRecord)
    for column, value in ((JobRecord.state, state), (JobRecord.model_id, model), (JobRecord.dataset_id, dataset)):
        if value is not None:
            statement = statement.where(column == value)
    return lookup.page(session, statement, JobRecord.id, "job", limit, after)


def reports(session: Session, job: str, from_epoch: int, limit: int) -> Reports:
    """Reports of a job from an epoch on, oldest first: those that are rows, and behind them those in blocks."""
    statement = select(*_FIELDS_OF_ROWS).where(EpochRecord.job_id == job, EpochRecord.epoch >= from_epoch)
    rows = session.execute(statement.order_by(EpochRecord.epoch).limit(limit)).all()
    wanted = limit - len(rows)
    if not wanted:
        return reports_of(rows)
    few = _reaching(job, from_epoch).limit(-(-wanted // BLOCK) + 1)  # the first may begin before `from_epoch`
    found = joined([reports_of(rows), *map(unpack, _blocks(session, few))])
    return found[int(found.epochs.searchsorted(from_epoch)) :][:limit]


def blocks_of_reports(session: Session, job: str, from_epoch: int) -> Iterator[Reports]:
    """All packed reports from an epoch on, block by block."""
    for block in _blocks(session, _reaching(job, from_epoch).execution_options(yield_per=BLOCKS_AT_ONCE)):
        yield unpack(block)[max(0, from_epoch - block.epoch) :]


def _blocks(session: Session, statement: Select[int, int, bytes]) -> Iterator[Block]:
    for epoch, length, columns in session.execute(statement):
        yield Block(epoch, length, columns)


def _reaching(job: str, from_epoch: int) -> Select[int, int, bytes]:
    statement = select(ReportsRecord.epoch, ReportsRecord.length, ReportsRecord.columns)
    reaching = ReportsRecord.epoch > from_epoch - BLOCK
    return statement.where(ReportsRecord.job_id == job, reaching).order_by(ReportsRecord.epoch)


def extreme_rows(session: Session, job: str, first: int, last: int, stretch: int) -> Reports:
    """Reports that are rows: epochs `first` and `last`, and in each stretch between, the first ones with its least and
    greatest loss; all of them where stretches are short.

    Each stretch is a range of the primary key, read twice: grouping the reports would sort all of them. A search costs
    as much as reading some dozen rows.
    """
    every = select(*_FIELDS_OF_ROWS).where(EpochRecord.job_id == job, EpochRecord.epoch >= first)
    if stretch <= SHORT_STRETCH or session.execute(every.limit(1)).first() is None:
        return reports_of(session.execute(every.order_by(EpochRecord.epoch)).all())
    starts = select(literal(first).label("start")).cte("starts", recursive=True)
    following = starts.c.start + stretch
    starts = starts.union_all(select(following).where(following <= last))
    within = EpochRecord.job_id == job, EpochRecord.epoch.between(starts.c.start, starts.c.start + stretch - 1)
    extremes = (
        select(EpochRecord.epoch).where(*within).order_by(order, EpochRecord.epoch).limit(1).scalar_subquery()
        for order in (EpochRecord.train_loss, EpochRecord.train_loss.desc())
    )
    chosen = union_all(
        *(select(epoch).select_from(starts) for epoch in extremes), select(literal(first)), select(literal(last))
    )
    statement = select(*_FIELDS_OF_ROWS).where(EpochRecord.job_id == job, EpochRecord.epoch.in_(chosen))
    return reports_of(session.execute(statement.order_by(EpochRecord.epoch)).all())


_FIELDS_OF_ROWS = tuple(getattr(EpochRecord, field) for field in FIELDS)


def add_reports(session: Session, job: str, added: Reports) -> None:
    """Append reports to those in the database: the last block is filled before a new one begins."""
    newest = session.execute(_NEWEST_BLOCK, {"job": job}).first()
    if newest is None or newest.length == BLOCK:
        blocks = list(pack(added))
    else:
        last = Block(*newest)
        longer, *blocks = pack(joined([unpack(last), added]))
        values = {"length": longer.length, "columns": longer.columns}
        session.execute(_LENGTHEN, {"job": job, "first": last.epoch, **values})
    if blocks:
        session.execute(insert(ReportsRecord), [{"job_id": job, **block._asdict()} for block in blocks])


_NEWEST_BLOCK = (
    select(ReportsRecord.epoch, ReportsRecord.length, ReportsRecord.columns)
    .where(ReportsRecord.job_id == bindparam("job"))
    .order_by(ReportsRecord.epoch.desc())
    .limit(1)
)
_BLOCKS = Record.metadata.tables["reports"]
_LENGTHEN = update(_BLOCKS).where(_BLOCKS.c.job_id == bindparam("job"), _BLOCKS.c.epoch == bindparam("first"))
"""Statements of every flush, built once: building takes SQLAlchemy longer than SQLite takes to run them."""


def last_epoch(session: Session, job: str) -> int | None:
    """Return the epoch of the last report."""
    ends = (
        select(func.max(EpochRecord.epoch).label("last")).where(EpochRecord.job_id == job),
        select(func.max(ReportsRecord.epoch + ReportsRecord.length) - 1).where(ReportsRecord.job_id == job),
    )
    last: int | None = session.scalar(select(func.max(union_all(*ends).subquery().c.last)))
    return last


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
    session.execute(delete(CheckpointRecord).where(CheckpointRecord.job_id == job))


def progress_of(session: Session, jobs: list[str]) -> dict[str, tuple[str, int, float]]:
    """State, epochs done and progress of some jobs, by which a watcher sees changes."""
    columns = (JobRecord.id, JobRecord.state, JobRecord.epochs_done, JobRecord.progress)
    rows = session.execute(select(*columns).where(JobRecord.id.in_(jobs)))
    return {id: (state, done, progress) for id, state, done, progress in rows}


def trainings(session: Session, model: str, most: int, before: int | None) -> list[JobRecord]:
    """The jobs that have added the newest versions that a model (an id) still has, below `before` where it is given, at
    most so many, newest version first.
    """
    kept = exists().where(VersionRecord.model_id == model, VersionRecord.number == JobRecord.version)
    statement = select(JobRecord).where(JobRecord.model_id == model, kept)
    if before is not None:
        statement = statement.where(JobRecord.version < before)
    return list(session.scalars(statement.order_by(JobRecord.version.desc()).limit(most)))
