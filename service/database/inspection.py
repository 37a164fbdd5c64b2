"""The inspection of a file before it is opened as our database: it changes nothing, and creates no file."""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from service.database.revisions import revisions

HEADER = b"SQLite format 3\0"
OUR_TABLES = {"alembic_version", "datasets", "jobs", "models"}
DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}


def fault_of(file: Path) -> str | None:
    """Return the reason why this file cannot be our database, with a remedy; None where it can, or is not there yet."""
    try:
        with os.fdopen(os.open(file, os.O_RDWR), "rb") as stream:
            head = stream.read(len(HEADER))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{file} cannot be opened for writing ({error.strerror}): give it to this user, or name another file"
    if head not in (b"", HEADER):
        return f"{file} is no SQLite database: move it away, or name another file"
    try:
        return _fault_of_schema(file)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF in DAMAGED:
            return f"{file} is damaged ({error}): put a backup in its place, or name another file"
        return None  # locked, perhaps, or its disk is full: that passes


def has_keys(file: Path) -> bool:
    """Return whether a key was ever made in this database; also False where that cannot be seen."""
    if not file.exists():
        return False
    try:
        with closing(_reading(file)) as connection:
            return connection.execute("SELECT 1 FROM keys LIMIT 1").fetchone() is not None
    except sqlite3.Error:  # there is no such table yet
        return False


def _reading(file: Path) -> sqlite3.Connection:
    # without a log that belongs to it the file is read as it stands, or SQLite would make one
    mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True)


def _fault_of_schema(file: Path) -> str | None:
    with closing(_reading(file)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return None
        row = None
        if tables >= OUR_TABLES:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    known = revisions()
    if row is not None and row[0] in known:
        return None
    if row is not None and re.fullmatch(r"\d{4}", row[0]) and row[0] > known[-1]:
        return (
            f"{file} has schema {row[0]} of a newer Descent, and this one knows those up to {known[-1]}: "
            "update Descent, or put the backup from before in its place"
        )
    return f"{file} is the database of another program: name another file"
