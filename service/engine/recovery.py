"""After a crash: whose running jobs may be called back at once, and what files belong to nobody."""

import fcntl
from io import TextIOWrapper
from pathlib import Path

from service.database.engine import Database
from service.datasets import records as datasets
from service.datasets.storage import Storage
from service.jobs import queue


class FileLock:
    """Held while this service lives; who holds the lock of an SQLite file is its only service."""

    def __init__(self, file: Path) -> None:
        self._file: TextIOWrapper = file.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = True
        except OSError:
            self.held = False

    def release(self) -> None:
        self._file.close()


def recover(database: Database, storage: Storage, *, alone: bool) -> None:
    """Call back the jobs that a crash left `running`, and sweep files without a row.

    A service that is alone (embedded workers, its own SQLite file) knows that nobody trains them; others wait for the
    lease to run out.
    """
    if alone:
        with database.transaction() as session:
            queue.requeue_lost(session, all_running=True)
    with database.reading() as session:
        known = datasets.all_ids(session)
    storage.sweep(known)
