"""A copy of an SQLite database as one transaction sees it, while others write."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0
"""Seconds to wait for a lock."""
FORGOTTEN = {"sign_ins": "DELETE FROM sign_ins"}
"""Tables whose rows stay out of a copy: cookies of browsers."""
COUNTED = {
    "datasets": "SELECT count(*) FROM datasets",
    "models": "SELECT count(*) FROM models",
    "jobs": "SELECT count(*) FROM jobs",
}


@dataclass(frozen=True)
class Snapshot:
    """The contents of a copy that its archive lists."""

    schema: str
    datasets: frozenset[str]
    """The ids of the datasets that are ready, whose files belong to it."""
    counts: dict[str, int]


def take(database: Path, target: Path) -> Snapshot:
    """Copy the database, without its cookies, to a file that is not there yet."""
    with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    with _opened(target) as copy:
        tables = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in tables.intersection(FORGOTTEN):
            copy.execute(FORGOTTEN[table])
        ((schema,),) = copy.execute("SELECT version_num FROM alembic_version")
        ready = copy.execute("SELECT id FROM datasets WHERE state = 'ready'")
        return Snapshot(
            schema,
            frozenset(id for (id,) in ready),
            {table: copy.execute(count).fetchone()[0] for table, count in COUNTED.items()},
        )


@contextmanager
def _opened(copy: Path) -> Iterator[sqlite3.Connection]:
    """Make the copy one file without a log, in which deleted rows leave no trace."""
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=MEMORY")
        connection.execute("PRAGMA secure_delete=ON")
        yield connection


def still_there(database: Path, datasets: frozenset[str]) -> bool:
    """Return whether all these datasets still have their rows."""
    with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as connection:
        return datasets <= {id for (id,) in connection.execute("SELECT id FROM datasets")}
