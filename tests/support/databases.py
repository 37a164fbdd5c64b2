"""Databases with the present schema, as copies of one: to run all migrations takes longer than most tests.

Engines in a process of tests share what they have compiled: a service has one or two, such a process has hundreds.
"""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from service.database.database import Database
from service.database.migrate import migrate

NAME = "descent.db"
COMPILED: LRUCache[Any, Any] = LRUCache(500)
"""Statements, as many as an engine keeps."""


class SharingDialect(SQLiteDialect_pysqlite):
    """SQLite's dialect, the same for all engines: by it they find what another one has compiled."""

    supports_statement_cache = True

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=COMPILED)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


registry.register("sqlite", __name__, SharingDialect.__name__)


def database_in(folder: Path) -> Database:
    """Return the database of a data folder, a new one where there is none."""
    lay_database(folder)
    return Database(f"sqlite:///{folder / NAME}")


def lay_database(folder: Path) -> None:
    """Write a new database to a data folder that has none."""
    file = folder / NAME
    if not file.exists():
        file.write_bytes(_template())


@cache
def _template() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / NAME
        database = Database(f"sqlite:///{file}")
        migrate(database)
        database.close()  # all that was written is in this file then
        return file.read_bytes()
