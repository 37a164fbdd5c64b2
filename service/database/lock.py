"""The lock of an SQLite file: one service at a time."""

import fcntl
from io import TextIOWrapper
from pathlib import Path


class FileLock:
    """A lock that this service holds while it lives; it makes the service the only one of an SQLite file."""

    def __init__(self, file: Path) -> None:
        self._file: TextIOWrapper = file.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = True
        except OSError:
            self.held = False

    def release(self) -> None:
        self._file.close()
