"""The two questions that every noun asks: which row is this, and which come next?"""

import re
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.database.columns import Record, is_id
from service.errors import Invalid, NotFound, invalid


class Named(Protocol):
    """A record that is found by its id or by its unique name."""

    id: Any
    name: Any


AnyNamed = TypeVar("AnyNamed", bound=Named)
AnyRecord = TypeVar("AnyRecord", bound=Record)


def find(session: Session, kind: type[AnyNamed], reference: str, noun: str, *, lock: bool = False) -> AnyNamed:
    """The row that `reference`, an id or a name, stands for; `lock` keeps others from changing it.

    Raises:
        NotFound: there is none.
    """
    statement = select(kind).where(or_(kind.id == reference, kind.name == reference))
    record = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if record is None:
        raise not_found(noun, reference)
    return record


def not_found(noun: str, reference: str) -> NotFound:
    return NotFound(f"There is no {noun} {reference!r}.", f"{noun}_not_found")


def page(
    session: Session,
    statement: Select[AnyRecord],
    key: InstrumentedAttribute[str],
    prefix: str,
    limit: int,
    after: str | None,
) -> tuple[list[AnyRecord], str | None]:
    """One page of the rows of `statement`, newest first, and the cursor of the next.

    `key` holds ids, which begin with `prefix` and sort by age.

    Raises:
        Invalid: `after` is no cursor of ours.
    """
    if after is not None:
        if not is_id(after, prefix):
            raise _bad_cursor()
        statement = statement.where(key < after)
    rows = list(session.scalars(statement.order_by(key.desc()).limit(limit + 1)))
    return rows[:limit], str(getattr(rows[limit - 1], key.key)) if len(rows) > limit else None


def position_of(cursor: str | None, end: int) -> int:
    """The place in a numbered list (rows, epochs, versions) that a cursor stands for; 0 without one.

    Raises:
        Invalid: `cursor` is not one of ours, which lie below `end`.
    """
    if cursor is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,10}", cursor) or int(cursor) >= end:
        raise _bad_cursor()
    return int(cursor)


def _bad_cursor() -> Invalid:
    return invalid("query/after", "This is not a cursor: give the `next` of the page before.", "bad_cursor")
