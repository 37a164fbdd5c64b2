"""The two queries of every noun: one row by id or name, and a page of rows."""

import re
import time
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.database.record import Record, nanoseconds_of
from service.errors import Invalid, NotFound, invalid
from service.ids import is_id, looks_like_an_id
from service.learning.synonyms import suggestion

MOST_NAMES = 1000
"""Names that are compared with an unknown one."""
CLOCKS_DIFFER = 3600 * 10**9
"""Nanoseconds by which the clock of another replica, which has made an id, may be ahead."""


class Named(Protocol):
    """A record that is found by its id or by its unique name."""

    id: Any
    name: Any


AnyNamed = TypeVar("AnyNamed", bound=Named)
AnyRecord = TypeVar("AnyRecord", bound=Record)


def find(session: Session, kind: type[AnyNamed], reference: str, noun: str, *, lock: bool = False) -> AnyNamed:
    """Return the row that `reference`, an id or a name, stands for; `lock` keeps others from changing it.

    Raises:
        NotFound: there is none.
    """
    statement = select(kind).where(or_(kind.id == reference, kind.name == reference))
    record = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if record is None:
        raise not_found(session, kind, reference, noun)
    return record


def not_found(session: Session, kind: type[Named], reference: str, noun: str) -> NotFound:
    """Return the error about an unknown reference, with the name, of the newest ones, that may be meant."""
    names = select(kind.name).where(kind.name != kind.id).order_by(kind.id.desc()).limit(MOST_NAMES)
    near = None if looks_like_an_id(reference) else suggestion(reference, session.scalars(names).all(), {})
    hint = f": did you mean {near!r}?" if near else "."
    return NotFound(f"There is no {noun} {reference!r}{hint}", f"{noun}_not_found")


def page(
    session: Session,
    statement: Select[AnyRecord],
    key: InstrumentedAttribute[str],
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
    rows = list(session.scalars(statement.order_by(key.desc()).limit(limit + 1)))
    return rows[:limit], str(getattr(rows[limit - 1], key.key)) if len(rows) > limit else None


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
