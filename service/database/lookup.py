"""The queries of every noun: one row by id or name, and a page of rows, all of them or those that filters leave."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, SQLColumnExpression, and_, select
from sqlalchemy.orm import Session, undefer

from service.database import owners
from service.database.labels import TABLES
from service.database.record import Record, nanoseconds_of
from service.errors import Invalid, NotFound, invalid
from service.ids import first_id, is_id, looks_like_an_id
from service.learning.synonyms import suggestion

MOST_NAMES = 1000
"""Names that are compared with an unknown one."""
CLOCKS_DIFFER = 3600 * 10**9
"""Nanoseconds by which the clock of another replica, which has made an id, may be ahead."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEHIND_NAMES = "\x7f"
"""A character that sorts behind all those of names, by its byte."""


@dataclass(frozen=True)
class Filters:
    """The rows of a list that a client wants."""

    labels: tuple[tuple[str, str], ...] = ()
    """Keys and values, all of which a row has."""
    name: str | None = None
    """The first letters of its name."""
    created_after: datetime | None = None


class Named(Protocol):
    """A record that is found by its id or by its unique name."""

    id: Any
    name: Any
    owner: Any


AnyNamed = TypeVar("AnyNamed", bound=Named)
AnyRecord = TypeVar("AnyRecord", bound=Record)


def find(
    session: Session,
    kind: type[AnyNamed],
    reference: str,
    noun: str,
    *,
    lock: bool = False,
    to_read: bool = False,
    whole: bool = False,
) -> AnyNamed:
    """Return the row that `reference`, an id or a name, stands for; `lock` keeps others from changing it.

    Names are those of the caller's own rows. In a session that writes, `to_read` is for rows that it only refers to. A
    `whole` row has the columns, too, that are else read when they are asked for.

    Raises:
        NotFound: there is none for the caller.
        Forbidden: the session writes, and another owner has only shared it.
    """
    record: AnyNamed | None = session.scalars(
        _named(kind, lock=lock, whole=whole), owners.naming(reference)
    ).one_or_none()
    if record is None or not owners.is_seen(record):
        raise not_found(session, kind, reference, noun)
    owners.check(session, record, noun, to_read=to_read)
    return record


@cache
def _named(kind: type[AnyNamed], *, lock: bool, whole: bool) -> Select[Any]:
    statement = select(kind).where(owners.named(kind))
    statement = statement.options(undefer("*")) if whole else statement
    return statement.with_for_update() if lock else statement


def not_found(session: Session, kind: type[Named], reference: str, noun: str) -> NotFound:
    """Return the error about an unknown reference, with the name, of the newest ones, that may be meant."""
    names = select(kind.name).where(owners.own(kind), kind.name != kind.id).order_by(kind.id.desc()).limit(MOST_NAMES)
    near = None if looks_like_an_id(reference) else suggestion(reference, session.scalars(names).all(), {})
    hint = f": did you mean {near!r}?" if near else "."
    return NotFound(f"There is no {noun} {reference!r}{hint}", f"{noun}_not_found")


def page(
    session: Session,
    statement: Select[AnyRecord],
    key: SQLColumnExpression[str],
    prefix: str,
    limit: int,
    after: str | None,
    parameter: str = "after",
) -> tuple[list[AnyRecord], str | None]:
    """One page of the rows of `statement`, newest first, and the cursor of the next.

    `key` holds ids, which begin with `prefix` and sort by age. The row that the cursor names may be gone by now.

    Raises:
        Invalid: `after` is no cursor of ours.
    """
    if after is not None:
        if not is_id(after, prefix) or nanoseconds_of(after) > time.time_ns() + CLOCKS_DIFFER:
            raise bad_cursor(parameter)
        statement = statement.where(key < after)
    rows: list[Any] = list(session.scalars(statement.order_by(key.desc()).limit(limit + 1)))
    return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None


def filtered(
    statement: Select[AnyRecord], kind: Any, prefix: str, filters: Filters
) -> tuple[Select[AnyRecord], SQLColumnExpression[str]]:
    """Return the statement for the caller's rows of `kind` that the filters leave, and the column of ids to page by.

    That is one of the table of labels where there are any: its index has the rows of a label in the order of the list.
    """
    key: SQLColumnExpression[str] = kind.id
    statement = statement.where(owners.own(kind, by_index=not filters.labels))
    for name, value in filters.labels:
        labels = TABLES[kind.__tablename__].alias()
        statement = statement.join(labels, and_(labels.c.id == kind.id, labels.c.key == name, labels.c.value == value))
        key = labels.c.id if key is kind.id else key
    if filters.name:
        statement = statement.where(kind.name >= filters.name, kind.name < f"{filters.name}{BEHIND_NAMES}")
    if filters.created_after is not None:
        begin = (filters.created_after - EPOCH) // timedelta(microseconds=1) * 1000 - CLOCKS_DIFFER
        statement = statement.where(kind.created_at > filters.created_after, key >= first_id(prefix, begin))
    return statement, key


def position_of(cursor: str | None, end: int, *, begin: int = 0, parameter: str = "after") -> int:
    """Return the place in a numbered list (rows, epochs, versions) that a cursor stands for; `begin` without one.

    Raises:
        Invalid: `cursor` is not one of this list: those lie behind `begin` and below `end`.
    """
    if cursor is None:
        return begin
    if not re.fullmatch(r"[1-9][0-9]{0,9}", cursor) or not begin < int(cursor) < end:
        raise bad_cursor(parameter)
    return int(cursor)


def bad_cursor(parameter: str = "after") -> Invalid:
    """Return the error about a cursor that names no place in its list."""
    detail = "This is no cursor of this list: give the `next` of the page before."
    return invalid(f"query/{parameter}", detail, "bad_cursor")
