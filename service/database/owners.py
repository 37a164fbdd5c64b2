"""Owners of rows: each row belongs to one, and who may find or change it is decided here alone."""

from typing import Any, Protocol

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, false, or_
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database.caller import DEFAULT_OWNER, caller
from service.database.record import ByBytes
from service.errors import Forbidden

WRITES = "descent_writes"
"""The mark of a session that changes rows: what it looks up has to be its caller's own."""

REFERENCE, OWNER = "descent_reference", "descent_owner"
"""Parameters of statements that are made once: to make one takes longer than to execute it."""


class Owned:
    """A record that belongs to the owner for whom it was made."""

    owner: Mapped[str] = mapped_column(ByBytes, default=lambda: caller().owner, server_default=DEFAULT_OWNER)


class Shareable(Owned):
    """A record that its owner may let others read."""

    shared: Mapped[bool] = mapped_column(default=False, server_default=false())


class HasOwner(Protocol):
    """A record of whatever kind, with its owner."""

    owner: Any


def is_own(record: HasOwner) -> bool:
    """Whether the caller may do anything with this row."""
    return record.owner == caller().owner or caller().reaches_all


def is_seen(record: HasOwner) -> bool:
    """Whether the row is there for the caller."""
    return is_own(record) or bool(getattr(record, "shared", False))


def check(session: Session, record: HasOwner, noun: str, *, to_read: bool) -> None:
    """Check that a row that the caller sees may be had in this session, which may be one that changes it.

    Raises:
        Forbidden: another owner has shared it, to be read alone.
    """
    if session.info.get(WRITES) and not to_read and not is_own(record):
        detail = f"Another owner has shared this {noun}: it can be read and used, and not be changed."
        raise Forbidden(detail, "shared_to_read")


def named(kind: Any) -> ColumnElement[bool]:
    """Return the condition of the row with an id, or with a name among the caller's, that `reference` gives when it is
    executed; `is_seen` decides then.
    """
    given: BindParameter[str] = bindparam(REFERENCE)
    return or_(kind.id == given, and_(kind.owner == bindparam(OWNER), kind.name == given))


def naming(reference: str) -> dict[str, str]:
    """Return the values of `named` for the caller."""
    return {REFERENCE: reference, OWNER: caller().owner}


def own(kind: Any, *, by_index: bool = True) -> ColumnElement[bool]:
    """Return the condition of the caller's own rows, which are those that it finds without an id.

    With `by_index=False` the database finds rows by another condition, and only checks this one.
    """
    owner = kind.owner if by_index else kind.owner.concat("")
    condition: ColumnElement[bool] = owner == caller().owner
    return condition
