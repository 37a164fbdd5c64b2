"""The tables of models and their versions, and every query on them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    bindparam,
    case,
    delete,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, column_property, mapped_column, undefer

from service.database import labels, lookup, owners
from service.database.lookup import Filters
from service.database.owners import Shareable
from service.database.record import AsJson, ByBytes, Record, now
from service.errors import NotFound
from service.http.json_numbers import JsonObject
from service.models.signature.signature import Signature

MOST_NAMED = 6
"""Kept epochs that an error names."""
Serve = Literal["always", "if_better", "never"]
"""A job's wish whether its version is served."""


class VersionRecord(Record):
    """One immutable set of a model's parameters."""

    __tablename__ = "versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    job_id: Mapped[str | None]
    """The job that made it; null: version 0 or a PUT. No foreign key: a version outlives its job."""
    signature: Mapped[Signature | None] = mapped_column(AsJson.of(Signature))
    """The signature of the data it was trained on; null: not known."""
    trained_with: Mapped[JsonObject | None] = mapped_column(deferred=True)
    """The loss and the column of weights of its training, where it is older than signatures that know these."""
    serve: Mapped[Serve] = mapped_column(String(), default="always", server_default="always")
    """The wish of its job."""
    refused: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether its job refused it: "latest" passes over it."""
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


class ModelRecord(labels.Labelled, Shareable, Record):
    """A network's architecture; its parameters are in its versions."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("owner", "name"), Index("ix_models_owner_id", "owner", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ByBytes)
    """Unique among those of its owner."""
    architecture: Mapped[str]
    """In Flux's notation, canonical."""
    dtype: Mapped[str]
    parameter_count: Mapped[int]
    seeded: Mapped[bool]
    """Whether version 0 was drawn by a seed, and not given."""
    next_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """The number of the version to come; that of a deleted one is never given again."""
    served: Mapped[int] = mapped_column(default=0, server_default="0")
    """The version that answers where none is named, kept here so that a prediction need not search for it."""
    pinned: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a client chose it; else it is the newest one that its job did not refuse."""
    sweep: Mapped[str | None] = mapped_column(index=True)
    """The sweep whose trial alone trains it: lists do not show it."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = column_property(
        select(func.max(VersionRecord.number))
        .where(VersionRecord.model_id == id)
        .correlate_except(VersionRecord)
        .scalar_subquery()
    )
    """The number of the latest version."""
    versions: Mapped[int] = column_property(
        select(func.count(VersionRecord.number))
        .where(VersionRecord.model_id == id)
        .correlate_except(VersionRecord)
        .scalar_subquery(),
        deferred=True,
    )
    """Number of the model's versions; counted when it is asked for, which takes longer the more there are."""
    signature: Mapped[Signature | None] = column_property(
        select(VersionRecord.signature)
        .where(VersionRecord.model_id == id, VersionRecord.number == served)
        .correlate_except(VersionRecord)
        .scalar_subquery(),
        deferred=True,
    )
    """The signature of the served version; read when it is asked for."""

    @property
    def serving(self) -> int | Literal["latest"]:
        return self.served if self.pinned else "latest"


SHOWN = ModelRecord.sweep.is_(None)
"""The condition of models that lists show."""


def find(session: Session, reference: str, *, lock: bool = False) -> ModelRecord:
    return lookup.find(session, ModelRecord, reference, "model", lock=lock)


def page(session: Session, limit: int, after: str | None, filters: Filters) -> tuple[list[ModelRecord], str | None]:
    """Models, newest first, with their signatures."""
    counted = undefer(ModelRecord.signature), undefer(ModelRecord.versions)
    statement = select(ModelRecord).options(*counted).where(SHOWN)
    return lookup.page(session, *lookup.filtered(statement, ModelRecord, "mdl", filters), "mdl", limit, after)


def version(session: Session, model: str, number: int, *, parameters: bool = True) -> VersionRecord:
    """One version of a model (an id), with its parameters unless they are not needed.

    Raises:
        NotFound: there is no such version.
    """
    statement = _VERSION_WITH_PARAMETERS if parameters else _VERSION
    record = session.scalars(statement, {"model": model, "number": number}).one_or_none()
    if record is None:
        raise no_version(session, model, number)
    return record


# statements of every job are made once: to make one takes longer than to execute it
_VERSION = select(VersionRecord).where(
    VersionRecord.model_id == bindparam("model"), VersionRecord.number == bindparam("number")
)
_VERSION_WITH_PARAMETERS = _VERSION.options(undefer(VersionRecord.parameters))


def no_version(session: Session, model: str, number: int) -> NotFound:
    """Return the error about an unknown version of a model (an id)."""
    columns = select(ModelRecord.next_version, ModelRecord.version).where(ModelRecord.id == model)
    found = session.execute(columns).first()
    if found is not None and number < found.next_version:
        detail = f"Version {number} of this model was deleted"
    else:
        detail = f"There is no version {number} of this model"
    latest = "" if found is None else f": the latest is {found.version}"
    return NotFound(f"{detail}{latest}.", "version_not_found")


def point(session: Session, model: str, job: str | None, epoch: int) -> PointRecord:
    """Return the parameters that a training of a model (ids) had at the end of an epoch.

    Raises:
        NotFound: it kept none there.
    """
    statement = select(PointRecord).where(
        PointRecord.model_id == model, PointRecord.job_id == job, PointRecord.epoch == epoch
    )
    record = session.scalars(statement.options(undefer(PointRecord.parameters))).one_or_none()
    if record is None:
        kept = kept_epochs(session, [job]).get(job or "", [])
        known = f"those of {_some(kept)} were" if kept else "this version's training kept none (`keep_every`)"
        raise NotFound(f"The parameters of epoch {epoch} were not kept: {known}.", "epoch_not_kept")
    return record


def _some(epochs: list[int]) -> str:
    shown = epochs if len(epochs) <= MOST_NAMED else [*epochs[: MOST_NAMED - 1], "…", epochs[-1]]
    return ", ".join(map(str, shown))


def kept_epochs(session: Session, jobs: Iterable[str | None]) -> dict[str, list[int]]:
    """Return the epochs whose parameters some trainings (ids of jobs) have kept, oldest first."""
    statement = select(PointRecord.job_id, PointRecord.epoch).where(PointRecord.job_id.in_({*jobs} - {None}))
    kept: dict[str, list[int]] = {}
    for job, epoch in session.execute(statement.order_by(PointRecord.job_id, PointRecord.epoch)):
        kept.setdefault(job, []).append(epoch)
    return kept


def add_point(session: Session, job: str, epoch: int, model: str, parameters: bytes) -> None:
    session.execute(insert(PointRecord).values(job_id=job, epoch=epoch, model_id=model, parameters=parameters))


def drop_points(session: Session, *jobs: str) -> None:
    session.execute(delete(PointRecord).where(PointRecord.job_id.in_(jobs)))


def trained_with(session: Session, model: str, number: int) -> JsonObject | None:
    """Return the loss and weights of a version's training, where its signature does not know them."""
    version = VersionRecord.model_id == model, VersionRecord.number == number
    return session.scalar(select(VersionRecord.trained_with).where(*version))


def latest_signature(session: Session, model: str) -> Signature | None:
    """Return the signature of the latest version, whatever is served."""
    statement = select(VersionRecord.signature).where(VersionRecord.model_id == model)
    return session.scalar(statement.order_by(VersionRecord.number.desc()).limit(1))


def add_version(
    session: Session,
    model: str,
    parameters: bytes,
    job: str | None,
    signature: Signature | None = None,
    *,
    serve: Serve = "always",
    refused: bool = False,
) -> int | None:
    """Add the next number, which was never given before, and return it; None where the model is gone.

    The version is served from now on unless it is refused or another one is pinned. Versions of one model are added one
    at a time: the row of the model is locked meanwhile.
    """
    following: int | None = session.scalar(_NUMBER_OF_REFUSED if refused else _NUMBER_OF_SERVED, {"model": model})
    if following is None:
        return None
    number = following - 1
    kept = {"job_id": job, "parameters": parameters, "signature": signature, "serve": serve, "refused": refused}
    session.execute(_ADD_VERSION, {"model_id": model, "number": number, **kept})
    return number


_ADD_VERSION = insert(Record.metadata.tables["versions"])
_MODELS = Record.metadata.tables["models"]
_NUMBER_OF_REFUSED = (
    update(_MODELS)
    .where(_MODELS.c.id == bindparam("model"))
    .values(next_version=_MODELS.c.next_version + 1)
    .returning(_MODELS.c.next_version)
)
_NUMBER_OF_SERVED = _NUMBER_OF_REFUSED.values(
    served=case((_MODELS.c.pinned, _MODELS.c.served), else_=_MODELS.c.next_version)
)


def versions(session: Session, model: str, limit: int, before: int | None) -> list[VersionRecord]:
    """Versions of a model, newest first, below number `before`, if there is one."""
    statement = select(VersionRecord).where(VersionRecord.model_id == model)
    if before is not None:
        statement = statement.where(VersionRecord.number < before)
    return list(session.scalars(statement.order_by(VersionRecord.number.desc()).limit(limit)))


def numbers(session: Session, model: str) -> list[int]:
    """Return the numbers of all versions of a model, oldest first."""
    statement = select(VersionRecord.number).where(VersionRecord.model_id == model)
    return list(session.scalars(statement.order_by(VersionRecord.number)))


def names(session: Session) -> dict[str, str]:
    """Return the name of each of the caller's models that lists show by its id; newest first."""
    statement = select(ModelRecord.id, ModelRecord.name).where(owners.own(ModelRecord), SHOWN)
    rows = session.execute(statement.order_by(ModelRecord.id.desc()))
    return {row.id: row.name for row in rows}


def index(session: Session) -> list[tuple[str, str, int]]:
    """Return every version of every model of the caller, as the model's id and name and the number, by name."""
    statement = select(ModelRecord.id, ModelRecord.name, VersionRecord.number).join(
        VersionRecord, VersionRecord.model_id == ModelRecord.id
    )
    statement = statement.where(owners.own(ModelRecord), SHOWN)
    rows = session.execute(statement.order_by(ModelRecord.name, VersionRecord.number))
    return [(id, name, number) for id, name, number in rows]
