"""The table of totals: what has ever been done, which neither ends nor deletions take back."""

from sqlalchemy import BigInteger, event, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.database.record import Record


class TotalRecord(Record):
    """The count of one kind of thing since the database was made."""

    __tablename__ = "totals"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


_ADD = text(
    "INSERT INTO totals (name, value) VALUES (:name, :value) "
    "ON CONFLICT (name) DO UPDATE SET value = totals.value + excluded.value"
)


_COUNTED = "descent_counted"


def count(session: Session, **amounts: int) -> None:
    """Add to totals, at the end of the transaction that makes the change counted."""
    counted: dict[str, int] = session.info.setdefault(_COUNTED, {})
    for name, amount in amounts.items():
        counted[name] = counted.get(name, 0) + amount


@event.listens_for(Session, "before_commit")
def _add(session: Session) -> None:
    """Write all that a transaction has counted, in one statement."""
    if counted := session.info.pop(_COUNTED, None):
        session.execute(_ADD, [{"name": name, "value": amount} for name, amount in counted.items()])


def deleted(state: str) -> str:
    """Return the name of the total of jobs of a state that were deleted."""
    return f"deleted_{state}"


def totals(session: Session) -> dict[str, int]:
    return {record.name: record.value for record in session.scalars(select(TotalRecord))}
