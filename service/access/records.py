"""The tables of keys and of signed-in browsers, and every query on them."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ForeignKey, TableClause, column, delete, exists, func, inspect, select, table, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database import lookup
from service.database.database import Database
from service.database.record import Record, now
from service.errors import Unavailable


class KeyRecord(Record):
    """A key, of which only the hash is kept. Rows stay: a database that ever had a key is never open again."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)
    owner: Mapped[str]
    scope: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    """SHA-256 of the key, in hexadecimal."""
    made_by: Mapped[str | None]
    """The key that made it; None: the command, or nobody's while there were no keys."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInRecord(Record):
    """A browser that signed in with a key; it ends with that key, or before."""

    __tablename__ = "sign_ins"

    hash: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of the cookie, in hexadecimal."""
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a key that is valid, or was at its last look-up."""

    key: str
    owner: str
    scope: str
    expires_at: datetime | None


_OF_KEY = "SELECT id, owner, scope, expires_at, hash FROM keys WHERE hash = :hash AND revoked_at IS NULL"
_OF_COOKIE = """
SELECT keys.id, owner, scope, min(sign_ins.expires_at, coalesce(keys.expires_at, sign_ins.expires_at)), sign_ins.hash
FROM sign_ins JOIN keys ON keys.id = key_id WHERE sign_ins.hash = :hash AND revoked_at IS NULL
"""


def holder(database: Database, digest: str, *, cookie: bool = False) -> Holder | None:
    """Return the holder of a key, or of a cookie, with this hash, unless it was revoked; expired ones are returned.

    Raises:
        Unavailable: the database does not answer.
    """
    if database.on_sqlite:
        row = database.look_up(_OF_COOKIE if cookie else _OF_KEY, {"hash": digest})
        if row is None or not hmac.compare_digest(row[4], digest):
            return None
        expires = None if row[3] is None else datetime.fromisoformat(row[3]).replace(tzinfo=UTC)
        return Holder(row[0], row[1], row[2], expires)
    with _reading(database) as session:
        return _signed_in(session, digest) if cookie else _with_key(session, digest)


@contextmanager
def _reading(database: Database) -> Iterator[Session]:
    """Read, and raise Unavailable where the database does not answer."""
    try:
        with database.reading() as session:
            yield session
    except SQLAlchemyError as error:
        raise Unavailable("The database is out of reach: try again.", "database_unavailable") from error


def _with_key(session: Session, digest: str) -> Holder | None:
    key = session.scalars(select(KeyRecord).where(KeyRecord.hash == digest)).one_or_none()
    if key is None or key.revoked_at is not None or not hmac.compare_digest(key.hash, digest):
        return None
    return Holder(key.id, key.owner, key.scope, key.expires_at)


def _signed_in(session: Session, digest: str) -> Holder | None:
    cookie = session.get(SignInRecord, digest)
    key = None if cookie is None else session.get(KeyRecord, cookie.key_id)
    if cookie is None or key is None or key.revoked_at is not None or not hmac.compare_digest(cookie.hash, digest):
        return None
    ends = cookie.expires_at if key.expires_at is None else min(cookie.expires_at, key.expires_at)
    return Holder(key.id, key.owner, key.scope, ends)


def any_keys(database: Database) -> bool:
    """Whether a key was ever made."""
    if database.on_sqlite:
        return database.look_up("SELECT 1 FROM keys LIMIT 1", {}) is not None
    with _reading(database) as session:
        return bool(session.scalar(select(exists().select_from(KeyRecord))))


def add(session: Session, record: KeyRecord) -> None:
    session.add(record)
    session.flush()


def page(session: Session, limit: int, after: str | None) -> tuple[list[KeyRecord], str | None]:
    """Return keys of all owners, newest first."""
    return lookup.page(session, select(KeyRecord), KeyRecord.id, "key", limit, after)


def alive(session: Session, reference: str) -> list[KeyRecord]:
    """Return the key with this id, or those with this name, that were not revoked."""
    found = select(KeyRecord).where(KeyRecord.revoked_at.is_(None))
    return list(session.scalars(found.where((KeyRecord.id == reference) | (KeyRecord.name == reference))))


def is_known(session: Session, reference: str) -> bool:
    """Whether there is or was a key with this id or name."""
    named = (KeyRecord.id == reference) | (KeyRecord.name == reference)
    return session.scalar(select(func.count()).select_from(KeyRecord).where(named)) != 0


def revoke(session: Session, key: str) -> None:
    """End a key, and the browsers that signed in with it."""
    session.execute(update(KeyRecord).where(KeyRecord.id == key).values(revoked_at=now()))
    session.execute(delete(SignInRecord).where(SignInRecord.key_id == key))


def sign_in(session: Session, record: SignInRecord) -> None:
    """Add a signed-in browser, and delete expired ones."""
    session.execute(delete(SignInRecord).where(SignInRecord.expires_at <= now()))
    session.add(record)


def sign_out(session: Session, digest: str) -> None:
    session.execute(delete(SignInRecord).where(SignInRecord.hash == digest))


_UNMOVED = ("keys", "answers")
"""Tables of owners whose rows are of the owner's requests, and no things."""


def _tables_of_owners(session: Session) -> list[TableClause]:
    """Return every table of the database whose rows have owners, also of nouns that nothing here imports."""
    inspector = inspect(session.connection())
    columns = {name: {each["name"] for each in inspector.get_columns(name)} for name in inspector.get_table_names()}
    return [
        table(name, column("owner"), *(column(each) for each in ("id", "name") if each in found))
        for name, found in columns.items()
        if "owner" in found and name not in _UNMOVED
    ]


def names_of_both(session: Session, before: str, after: str) -> list[str]:
    """Return the names that things of the same kind have with both owners."""
    both: list[str] = []
    for each in _tables_of_owners(session):
        if "name" in each.c:
            others = select(each.c.name).where(each.c.owner == after)
            both += session.scalars(select(each.c.name).where(each.c.owner == before, each.c.name.in_(others)))
    return both


def move(session: Session, before: str, after: str) -> int:
    """Give the rows of one owner to another, and return their number."""
    moved = 0
    for each in _tables_of_owners(session):
        moved += session.scalar(select(func.count()).select_from(each).where(each.c.owner == before)) or 0
        session.execute(update(each).where(each.c.owner == before).values(owner=after))
    return moved
