"""The table of datasets, and every query on it."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup
from service.database.columns import Record, now


class DatasetRecord(Record):
    """One dataset; its arrays lie in the storage folder under its id."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    features: Mapped[list[dict[str, Any]]]
    targets: Mapped[list[dict[str, Any]]]
    train_rows: Mapped[int]
    validation_rows: Mapped[int]
    test_rows: Mapped[int]
    dtype: Mapped[str]
    missing: Mapped[str | None]
    """What was done about missing values: None (refused), "mean" or "drop"."""
    split_column: Mapped[str | None]
    """The column that said the part of each row; neither feature nor target."""
    sha256: Mapped[str | None]
    """None while it is loading."""
    state: Mapped[str] = mapped_column(default="ready", server_default="ready")
    progress: Mapped[float | None]
    """While it is loading: 0 to 1; None where the size of the body is not known."""
    beat: Mapped[datetime | None]
    """While it is loading: when it last made progress."""
    statistics: Mapped[list[dict[str, Any]]] = mapped_column(deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    @property
    def parts(self) -> dict[str, int]:
        """Rows of each part, in the order in which the arrays hold them."""
        return {"train": self.train_rows, "validation": self.validation_rows, "test": self.test_rows}

    @property
    def rows(self) -> int:
        return sum(self.parts.values())

    @property
    def inputs(self) -> int:
        return sum(feature["width"] for feature in self.features)

    @property
    def outputs(self) -> int:
        return sum(target["width"] for target in self.targets)

    def slice_of(self, part: str) -> slice:
        """Where a part's rows lie in the arrays."""
        start = 0
        for name, rows in self.parts.items():
            if name == part:
                return slice(start, start + rows)
            start += rows
        raise KeyError(part)

    def part_at(self, position: int) -> str:
        """The part of the row at `position` of the arrays."""
        return next(part for part in self.parts if position < self.slice_of(part).stop)


def find(session: Session, reference: str) -> DatasetRecord:
    return lookup.find(session, DatasetRecord, reference, "dataset")


def page(session: Session, limit: int, after: str | None) -> tuple[list[DatasetRecord], str | None]:
    return lookup.page(session, select(DatasetRecord), DatasetRecord.id, "ds", limit, after)


def all_ids(session: Session) -> set[str]:
    return set(session.scalars(select(DatasetRecord.id)))
