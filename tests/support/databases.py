"""Databases with the present schema, as copies of one: to run all migrations takes longer than most tests."""

import tempfile
from functools import cache
from pathlib import Path

from service.database.database import Database
from service.database.migrate import migrate

NAME = "descent.db"


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
