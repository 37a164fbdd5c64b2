"""The tables of cross-validations and their folds, and every query on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup, owners
from service.database.owners import Owned
from service.database.record import AsJson, Record, now
from service.errors import NotFound
from service.http.json_numbers import JsonObject
from service.jobs import queue
from service.jobs.records import JobRecord
from service.jobs.states import JobError, State
from service.learning.planning.advice import Advice


class CrossValidationRecord(Owned, Record):
    """One recipe, trained once a fold."""

    __tablename__ = "cross_validations"
    __table_args__ = (Index("ix_cross_validations_owner_id", "owner", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    model_id: Mapped[str]
    dataset_id: Mapped[str]
    recipe: Mapped[JsonObject] = mapped_column(JSON)
    """As the client wrote it."""
    folds: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    advice: Mapped[list[Advice]] = mapped_column(AsJson.of(list[Advice]))
    created_at: Mapped[datetime] = mapped_column(default=now)


class FoldRecord(Record):
    """One training, and its scores on the rows of its fold."""

    __tablename__ = "folds"

    cross_validation_id: Mapped[str] = mapped_column(
        ForeignKey("cross_validations.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str] = mapped_column(unique=True)
    """No foreign key: a cross-validation takes its jobs with it."""
    rows: Mapped[int | None]
    """Rows of the fold; null before its training has ended."""
    metrics: Mapped[JsonObject | None] = mapped_column(JSON(none_as_null=True))
    """Loss and metrics on these rows; null likewise."""


@dataclass(frozen=True)
class Standing:
    """A fold, and the state of its job."""

    fold: FoldRecord
    state: State
    error: JobError | None
    ended_at: datetime | None


def find(session: Session, id: str) -> CrossValidationRecord:
    record = session.get(CrossValidationRecord, id)
    if record is None or not owners.is_own(record):
        raise NotFound(f"There is no cross-validation {id!r}.", "cross_validation_not_found")
    return record


def page(session: Session, limit: int, after: str | None) -> tuple[list[CrossValidationRecord], str | None]:
    """The caller's cross-validations, newest first."""
    statement = select(CrossValidationRecord).where(owners.own(CrossValidationRecord))
    return lookup.page(session, statement, CrossValidationRecord.id, "cv", limit, after)


def standings(session: Session, id: str) -> list[Standing]:
    """Return the folds of a cross-validation, by their numbers."""
    columns: Any = (FoldRecord, JobRecord.state, JobRecord.error, JobRecord.ended_at)
    statement = select(*columns).join(JobRecord, JobRecord.id == FoldRecord.job_id)
    rows = session.execute(statement.where(FoldRecord.cross_validation_id == id).order_by(FoldRecord.number))
    return [Standing(fold, State(state), error, ended_at) for fold, state, error, ended_at in rows]


def fold_of_job(session: Session, job: str) -> tuple[FoldRecord, CrossValidationRecord]:
    """Return the fold that a job trains, and its cross-validation."""
    whole = CrossValidationRecord.id == FoldRecord.cross_validation_id
    statement = select(FoldRecord, CrossValidationRecord).join(CrossValidationRecord, whole)
    fold, record = session.execute(statement.where(FoldRecord.job_id == job)).one()
    return fold, record


def delete_with_jobs(session: Session, record: CrossValidationRecord) -> None:
    queue.delete_all(session, [each.fold.job_id for each in standings(session, record.id)])
    session.delete(record)
