"""The tables of models and their versions, and every query on them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, undefer

from service.database import lookup
from service.database.columns import Record, now
from service.errors import NotFound


class VersionRecord(Record):
    """One immutable set of a model's parameters."""

    __tablename__ = "versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str | None]
    """The job that made it; null: version 0 or a PUT. No foreign key: a version outlives its job."""
    signature: Mapped[dict[str, Any] | None]
    """Of the data it was trained on (`Signature`); null: never trained."""
    parameters: Mapped[bytes] = mapped_column(deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class PointRecord(Record):
    """The parameters that a training passed through at the end of an epoch."""

    __tablename__ = "points"

    job_id: Mapped[str] = mapped_column(primary_key=True)
    """No foreign key: points live as long as their model."""
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), index=True)
    parameters: Mapped[bytes] = mapped_column(deferred=True)


class ModelRecord(Record):
    """A network's architecture; its parameters are in its versions."""

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    architecture: Mapped[str]
    """In Flux's notation, canonical."""
    dtype: Mapped[str]
    parameter_count: Mapped[int]
    seeded: Mapped[bool]
    """Whether version 0 was drawn by a seed, and not given."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = column_property(
        select(func.max(VersionRecord.number))
        .where(VersionRecord.model_id == id)
        .correlate_except(VersionRecord)
        .scalar_subquery()
    )
    """The latest number."""
    versions: Mapped[int] = column_property(
        select(func.count(VersionRecord.number))
        .where(VersionRecord.model_id == id)
        .correlate_except(VersionRecord)
        .scalar_subquery()
    )
    """How many there are."""


def find(session: Session, reference: str, *, lock: bool = False) -> ModelRecord:
    return lookup.find(session, ModelRecord, reference, "model", lock=lock)


def page(session: Session, limit: int, after: str | None) -> tuple[list[ModelRecord], str | None]:
    return lookup.page(session, select(ModelRecord), ModelRecord.id, "mdl", limit, after)


def version(session: Session, model: str, number: int | None) -> VersionRecord:
    """One version of a model (an id), with its parameters; the latest where `number` is None.

    Raises:
        NotFound: there is no such version.
    """
    statement = select(VersionRecord).where(VersionRecord.model_id == model).options(undefer(VersionRecord.parameters))
    if number is not None:
        statement = statement.where(VersionRecord.number == number)
    record = session.scalars(statement.order_by(VersionRecord.number.desc()).limit(1)).one_or_none()
    if record is None:
        raise NotFound(f"There is no version {number} of this model.", "version_not_found")
    return record


def point(session: Session, model: str, job: str | None, epoch: int) -> PointRecord:
    """The parameters that a training of a model (ids) had at the end of an epoch.

    Raises:
        NotFound: it kept none there.
    """
    statement = select(PointRecord).where(
        PointRecord.model_id == model, PointRecord.job_id == job, PointRecord.epoch == epoch
    )
    record = session.scalars(statement.options(undefer(PointRecord.parameters))).one_or_none()
    if record is None:
        raise NotFound(f"No parameters of epoch {epoch} were kept (`keep_every`).", "epoch_not_kept")
    return record


def latest_number(session: Session, model: str) -> int | None:
    return session.scalar(select(func.max(VersionRecord.number)).where(VersionRecord.model_id == model))


def add_version(
    session: Session, model: str, parameters: bytes, job: str | None, signature: dict[str, Any] | None = None
) -> int | None:
    """Add the next free number and return it; None where the model is gone.

    Versions of one model are added one at a time: the row of the model is locked meanwhile.
    """
    locked = session.scalar(select(ModelRecord.id).where(ModelRecord.id == model).with_for_update())
    if locked is None:
        return None
    latest = latest_number(session, model)
    number = 0 if latest is None else latest + 1
    record = VersionRecord(model_id=model, number=number, parameters=parameters, job_id=job, signature=signature)
    session.add(record)
    session.flush()
    return number


def versions(session: Session, model: str, limit: int, before: int | None) -> list[VersionRecord]:
    """Versions of a model, newest first, those below `before` where it is given."""
    statement = select(VersionRecord).where(VersionRecord.model_id == model)
    if before is not None:
        statement = statement.where(VersionRecord.number < before)
    return list(session.scalars(statement.order_by(VersionRecord.number.desc()).limit(limit)))
