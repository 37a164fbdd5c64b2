"""Answers that are kept for repeated requests: the table behind `Idempotency-Key`."""

from datetime import datetime, timedelta

from sqlalchemy import PrimaryKeyConstraint, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database.caller import caller
from service.database.owners import Owned
from service.database.record import Record, now

KEPT_FOR = timedelta(days=1)


class AnswerRecord(Owned, Record):
    """The answer to an owner's POST that created something, written in the transaction that created it."""

    __tablename__ = "answers"
    __table_args__ = (PrimaryKeyConstraint("owner", "key"),)

    key: Mapped[str]
    fingerprint: Mapped[str]
    """Fingerprint of method, address and body: the same key may not ask for something else."""
    status: Mapped[int]
    location: Mapped[str]
    body: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


def find(session: Session, key: str) -> AnswerRecord | None:
    record = session.get(AnswerRecord, (caller().owner, key))
    return record if record is not None and record.created_at > now() - KEPT_FOR else None


PROBE = "\0"
"""A key that no client can send."""


def add_probe(session: Session, size: int) -> None:
    """Add a row of `size` bytes without meaning."""
    drop_probe(session)
    session.add(AnswerRecord(key=PROBE, fingerprint="", status=0, location="", body=bytes(size)))


def drop_probe(session: Session) -> None:
    session.execute(delete(AnswerRecord).where(AnswerRecord.key == PROBE))


def keep(session: Session, record: AnswerRecord) -> None:
    session.execute(delete(AnswerRecord).where(AnswerRecord.created_at <= now() - KEPT_FOR))
    session.add(record)
