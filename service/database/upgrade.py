"""Preparations of an SQLite file for another schema: a copy beside it, and the means to give pages back to the disk."""

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from service.errors import CannotWrite

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds to wait for a lock."""
INCREMENTAL = 2
"""SQLite's number of the mode in which free pages go back when they are asked for."""
ROOM = 4 << 20
"""Bytes beside those of copies."""
STEP = 500
"""Pages that are given back at once: a writer waits no longer than for these."""


def prepare(file: Path, present: str | None, following: str) -> Path | None:
    """Copy the file of a database that has a schema, rebuild it where its free pages would stay, and return the copy.

    Raises:
        CannotWrite: the disk has no room for that; nothing has changed.
    """
    rebuilds = _mode(file) != INCREMENTAL
    if present is None:
        if rebuilds:
            _rebuild(file)
        return None
    _check_room(file, following, rebuilds=rebuilds)
    copy = file.with_name(f"{file.name}.before-{following}")
    copy.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error:
        copy.unlink(missing_ok=True)
        raise
    log.info("before schema %s, a copy of the database with schema %s was made: %s", following, present, copy)
    if rebuilds:
        _rebuild(file)
        log.info("the database was rebuilt, so that what is deleted in it goes back to the disk")
    return copy


def forget_older(copy: Path) -> None:
    """Remove the copies that earlier upgrades left."""
    for other in copy.parent.glob(f"{copy.name.partition('.before-')[0]}.before-*"):
        if other != copy:
            other.unlink(missing_ok=True)


def give_back(file: Path, pages: int = 20_000) -> int:
    """Give at most `pages` free pages back to the disk, some at a time, and return their number."""
    with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
        free = before = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
        while free and before - free < pages:
            connection.execute(f"PRAGMA incremental_vacuum({STEP})").fetchall()
            left = int(connection.execute("PRAGMA freelist_count").fetchone()[0])
            if left >= free:  # a file that was not rebuilt
                break
            free = left
        return before - free


def _mode(file: Path) -> int:
    with closing(sqlite3.connect(file, timeout=PATIENCE)) as connection:
        return int(connection.execute("PRAGMA auto_vacuum").fetchone()[0])


def _check_room(file: Path, following: str, *, rebuilds: bool) -> None:
    """Check that there is room for the copy; a rebuilt file is there twice more, in a temporary file and in the log."""
    size = file.stat().st_size
    needed, free = size * (3 if rebuilds else 1) + ROOM, shutil.disk_usage(file.parent).free
    if free < needed:
        why = "for a copy of the database and to rebuild it" if rebuilds else "for a copy of the database"
        raise CannotWrite(
            f"Schema {following} needs {needed / 1e6:,.0f} MB of free disk in {file.parent}, {why}, and there are "
            f"{free / 1e6:,.0f} MB: free some, and start again. Nothing has changed.",
            "storage_full",
        )


def _rebuild(file: Path) -> None:
    with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection, _temporary(file.parent):
        connection.execute(f"PRAGMA auto_vacuum={INCREMENTAL}")
        connection.execute("VACUUM")


@contextmanager
def _temporary(folder: Path) -> Iterator[None]:
    """Let SQLite's temporary files lie in this folder: /tmp may be small, or in memory."""
    before = os.environ.get("SQLITE_TMPDIR")
    os.environ["SQLITE_TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SQLITE_TMPDIR"]
        else:
            os.environ["SQLITE_TMPDIR"] = before
