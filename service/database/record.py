"""The common ground of all tables: the declarative base, constraint names, times and ids."""

import functools
from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Self, get_args, get_origin, get_type_hints

from sqlalchemy import JSON, DateTime, Dialect, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from service.ids import ALPHABET


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite, which has no zones, keeps it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class AsJson(TypeDecorator[Any]):
    """Objects of one kind, kept as the JSON that `write` makes of them and `read` takes."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def __init__(self, read: Callable[[Any], Any], write: Callable[[Any], Any]) -> None:
        super().__init__()
        self.read = read
        self.write = write

    @classmethod
    def of(cls, kind: Any) -> Self:
        """Return the type of a column that has dataclasses of one kind, or lists of these."""
        write: Callable[[Any], Any] = asdict if is_dataclass(kind) else lambda items: [asdict(each) for each in items]
        return cls(reader(kind), write)

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.write(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.read(value)


@functools.cache
def reader(hint: Any) -> Callable[[Any], Any]:
    """Return a function that reads JSON as the annotation has it: objects as dataclasses, lists as tuples.

    Fields that an object lacks have their defaults; those that the dataclass lacks are left out.
    """
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        readers = {field.name: reader(hints[field.name]) for field in fields(hint)}
        make: Callable[..., Any] = hint  # type: ignore[assignment]  # a class, which is_dataclass leaves open
        return lambda kept: make(**{name: read(kept[name]) for name, read in readers.items() if name in kept})
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (list, tuple):
        item = reader(parts[0])
        return lambda kept: origin(map(item, kept))
    chosen = next((part for part in parts if is_dataclass(part) or get_origin(part) is tuple), None)
    if chosen is None:
        return lambda kept: kept
    read = reader(chosen)
    return lambda kept: None if kept is None else read(kept)


ByBytes = String().with_variant(String(collation="C"), "postgresql")
"""Texts that sort by their bytes everywhere, and not as people sort: those with a prefix lie side by side."""


class Record(DeclarativeBase):
    """A database row. Constraints have names, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own form
        datetime: UtcDateTime,
        str: String(),
        bytes: LargeBinary(),
        dict[str, Any]: JSON(none_as_null=True),
        list[str]: JSON(none_as_null=True),
    }


def now() -> datetime:
    return datetime.now(UTC)


def nanoseconds_of(id: str) -> int:
    """Return the time at which an id was made."""
    digits = [ALPHABET.index(letter) for letter in id[-26:-13]]
    return functools.reduce(lambda number, digit: number << 5 | digit, digits) >> 1
