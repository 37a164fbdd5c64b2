"""The table of datasets, and every query on it."""

import json
from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Dialect,
    Index,
    String,
    TypeDecorator,
    UniqueConstraint,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup
from service.database.labels import Labelled
from service.database.lookup import Filters
from service.database.owners import Shareable, own
from service.database.record import AsJson, ByBytes, Record, now
from service.datasets.columns import Column, ColumnSummary
from service.errors import Conflict
from service.learning.planning.advice import Advice

LEASE = timedelta(minutes=5)
"""Time without a beat after which a loading dataset has lost its service."""


_COLUMNS = AsJson(
    read=lambda kept: [Column.from_json(each) for each in kept],
    write=lambda columns: [column.to_json() for column in columns],
)


class _WordOrObject(TypeDecorator[str | dict[str, str]]):
    """A word as it is, or an object as JSON."""

    impl = String()
    cache_ok = True

    def process_bind_param(self, value: str | dict[str, str] | None, dialect: Dialect) -> str | None:
        return json.dumps(value) if isinstance(value, dict) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | dict[str, str] | None:
        decoded: str | dict[str, str] | None = json.loads(value) if value and value.startswith("{") else value
        return decoded


class DatasetRecord(Labelled, Shareable, Record):
    """One dataset; its arrays lie in the storage under its id."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("owner", "name"), Index("ix_datasets_owner_id", "owner", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(ByBytes)
    """Unique among those of its owner."""
    features: Mapped[list[Column]] = mapped_column(_COLUMNS)
    targets: Mapped[list[Column]] = mapped_column(_COLUMNS)
    train_rows: Mapped[int]
    validation_rows: Mapped[int]
    test_rows: Mapped[int]
    calibration_rows: Mapped[int] = mapped_column(default=0, server_default="0")
    dtype: Mapped[str]
    missing: Mapped[str | dict[str, str] | None] = mapped_column(_WordOrObject)
    """The treatment of missing values: None (refused), "mean", "drop", or by kind."""
    split_column: Mapped[str | None]
    """The column that held the part of each row; neither feature nor target."""
    ignored: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    """Columns of the body that were left out."""
    advice: Mapped[list[Advice]] = mapped_column(AsJson.of(list[Advice]), default=list, server_default="[]")
    """Advice to the sender on the way that the body was read."""
    bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Those of its files."""
    sha256: Mapped[str | None]
    """None while it is loading."""
    state: Mapped[str] = mapped_column(default="ready", server_default="ready")
    progress: Mapped[float | None]
    """While it is loading: 0 to 1; None where the size of the body is not known."""
    beat: Mapped[datetime | None]
    """While it is loading: the time of its last progress."""
    statistics: Mapped[list[ColumnSummary]] = mapped_column(JSON(none_as_null=True), deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def content_hash(self) -> str:
        """`sha256` of a dataset that is ready."""
        assert self.sha256 is not None
        return self.sha256

    @property
    def parts(self) -> dict[str, int]:
        """Rows of each part, in the order in which the arrays hold them; calibration is left out where it has none."""
        parts = {"train": self.train_rows, "validation": self.validation_rows, "test": self.test_rows}
        return {**parts, "calibration": self.calibration_rows} if self.calibration_rows else parts

    @property
    def rows(self) -> int:
        return sum(self.parts.values())

    @property
    def inputs(self) -> int:
        return sum(feature.width for feature in self.features)

    @property
    def outputs(self) -> int:
        return sum(target.width for target in self.targets)

    def slice_of(self, part: str) -> slice:
        """The slice of the arrays that holds a part's rows."""
        start = 0
        for name, rows in self.parts.items():
            if name == part:
                return slice(start, start + rows)
            start += rows
        return slice(start, start)

    def part_at(self, position: int) -> str:
        """The part of the row at `position` of the arrays."""
        return next(part for part in self.parts if position < self.slice_of(part).stop)


def find(session: Session, reference: str, *, to_read: bool = False, whole: bool = False) -> DatasetRecord:
    """Find a dataset by id or name, also while it is loading. Raises NotFound."""
    return lookup.find(session, DatasetRecord, reference, "dataset", to_read=to_read, whole=whole)


def find_ready(session: Session, reference: str, *, whole: bool = False) -> DatasetRecord:
    """A dataset that can be used; a `whole` one has its statistics.

    Raises:
        NotFound: there is none.
        Conflict: it is loading.
    """
    record = find(session, reference, whole=whole)
    if record.state != "ready":
        detail = f"Dataset {reference!r} is still loading: GET /api/datasets/{reference} shows how far it is."
        raise Conflict(detail, "dataset_loading")
    return record


def is_taken(session: Session, name: str) -> bool:
    return session.scalar(select(DatasetRecord.id).where(own(DatasetRecord), DatasetRecord.name == name)) is not None


def beat(session: Session, id: str, progress: float | None) -> None:
    """Record that a loading dataset is still making progress."""
    session.execute(update(DatasetRecord).where(DatasetRecord.id == id).values(progress=progress, beat=now()))


def delete_loading(session: Session, id: str) -> None:
    """Delete a dataset if it is loading still."""
    session.execute(delete(DatasetRecord).where(DatasetRecord.id == id, DatasetRecord.state == "loading"))


def abandoned(session: Session, *, all_loading: bool) -> list[DatasetRecord]:
    """Loading datasets without a beat for a while, or all of them."""
    loading = select(DatasetRecord).where(DatasetRecord.state == "loading")
    if not all_loading:
        loading = loading.where(or_(DatasetRecord.beat.is_(None), DatasetRecord.beat < now() - LEASE))
    return list(session.scalars(loading))


def page(
    session: Session, limit: int, after: str | None, state: str | None, filters: Filters
) -> tuple[list[DatasetRecord], str | None]:
    """Datasets, newest first, of one state or of all."""
    statement, key = lookup.filtered(select(DatasetRecord), DatasetRecord, "ds", filters)
    if state is not None:
        statement = statement.where(DatasetRecord.state == state)
    return lookup.page(session, statement, key, "ds", limit, after)


def ids(session: Session, state: str) -> set[str]:
    """Ids of all datasets in this state."""
    return set(session.scalars(select(DatasetRecord.id).where(DatasetRecord.state == state)))
