"""Labels of rows: kept with each row, and beside it in a table by which lists find them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, Column, Connection, ForeignKey, Index, String, Table, delete, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, Session, mapped_column

from service.database.record import Record


class Labelled:
    """A record with labels. Whatever changes them changes the table beside it in the same transaction."""

    labels: Mapped[dict[str, str]] = mapped_column(JSON(none_as_null=True), default=dict, server_default="{}")


def _beside(noun: str) -> Table:
    return Table(
        f"{noun}_labels",
        Record.metadata,
        Column("id", String(), ForeignKey(f"{noun}.id", ondelete="CASCADE"), primary_key=True),
        Column("key", String(), primary_key=True),
        Column("value", String(), nullable=False),
        Index(None, "key", "value", "id"),  # a label's rows by age, so that a page reads no more than it shows
    )


TABLES = {noun: _beside(noun) for noun in ("datasets", "models", "jobs")}
"""The table of labels by that of the labelled rows."""


def add(within: Connection | Session, noun: str, id: str, labels: Mapping[str, str]) -> None:
    """Add the labels of a new row to the table beside it."""
    if labels:
        within.execute(insert(TABLES[noun]), [{"id": id, "key": key, "value": value} for key, value in labels.items()])


@event.listens_for(Labelled, "after_insert", propagate=True)
def _add(_: Mapper[Any], connection: Connection, record: Any) -> None:
    add(connection, record.__tablename__, record.id, record.labels)


@event.listens_for(Labelled, "after_update", propagate=True)
def _replace(mapper: Mapper[Any], connection: Connection, record: Any) -> None:
    if inspect(record).attrs.labels.history.has_changes():
        table = TABLES[record.__tablename__]
        connection.execute(delete(table).where(table.c.id == record.id))
        _add(mapper, connection, record)
