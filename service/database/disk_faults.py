"""Errors of a disk that takes no more, reported by the system, by SQLite, or by SQLAlchemy for SQLite."""

import errno
import os
import sqlite3
from pathlib import Path

from sqlalchemy.exc import OperationalError

from service.errors import CannotWrite, DescentError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FULL_FOR_SQLITE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
"""SQLite's codes for a full disk; a full quota or a limit on the size of files is an error of writing to it."""


def disk_fault(error: BaseException) -> CannotWrite | None:
    """Return the error to answer with where a full or read-only disk is the cause; None for any other cause."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # not of errors that the driver raises itself
        if code in FULL_FOR_SQLITE:
            return full()
        return read_only() if code & 0xFF == sqlite3.SQLITE_READONLY else None
    if isinstance(cause, OSError):
        if cause.errno in FULL:
            return full()
        return read_only() if cause.errno == errno.EROFS else None
    return None


def is_busy(error: BaseException) -> bool:
    """Whether SQLite reports that others hold the lock."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_outside(error: BaseException) -> bool:
    """Whether the database or its disk keeps an operation from working, and not the program: a line tells enough."""
    return isinstance(error, OperationalError | DescentError)


def is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def full() -> CannotWrite:
    return CannotWrite("There is no room left on the disk: free some, and send this again.", "storage_full")


def read_only() -> CannotWrite:
    detail = "The disk can only be read: make it writable again, and send this again."
    return CannotWrite(detail, "storage_read_only")
