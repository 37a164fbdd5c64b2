"""A worker that is stopped for longer than its lease, and goes on when another one has done its job."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from service.engine import run_job
from service.engine.workspace import Workspace
from service.jobs import queue
from tests.support.engine import result, shown
from tests.support.serving import PATIENCE, wait_for

RECIPE: dict[str, Any] = {
    "epochs": 10_000,
    "path": "batches",
    "batch_size": 3,
    "from_version": 0,
    "optimiser": {"rule": "Adam"},
    "keep_every": 1000,
}
WORKER = """
import sys
from pathlib import Path
from service.engine.run_job import work_on
from service.engine.workspace import Place, workspace_at

database, storage, cache, job = sys.argv[1:]
work_on(workspace_at(Place(database, storage, Path(cache))), job, "first")
"""


@contextmanager
def worker(workspace: Workspace, job: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, which has begun with the job."""
    place = (workspace.database.url, str(workspace.storage.folder), str(workspace.storage.folder.with_name("cache")))
    process = subprocess.Popen([sys.executable, "-c", WORKER, *place, job])
    try:
        wait_for(lambda: shown(workspace, job).epochs_done > 0)
        yield process
    finally:
        process.kill()
        process.wait()


def stop(process: subprocess.Popen[bytes], database: Path) -> bool:
    """Stop the process; let it go on where it has the lock of the database at this moment."""
    process.send_signal(signal.SIGSTOP)
    with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            return False
        connection.execute("ROLLBACK")
    return True


def everything(database: Path) -> list[str]:
    """All rows of all tables."""
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


def test_a_worker_that_comes_back_after_its_lease_writes_nothing(
    workspace: Workspace, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = workspace.database.file
    assert database is not None
    job, undisturbed = post(**RECIPE), post(**RECIPE)
    with worker(workspace, job) as process:
        wait_for(lambda: stop(process, database))
        assert shown(workspace, job).state == "running"
        monkeypatch.setattr(queue, "LEASE", 0.0)
        with workspace.database.transaction() as session:
            assert list(queue.requeue_lost(session)) == [job]
        run_job.work_on(workspace, job, "second")
        before = everything(database)
        process.send_signal(signal.SIGCONT)
        assert process.wait(PATIENCE) == 0
    assert everything(database) == before
    assert (shown(workspace, job).attempt, shown(workspace, job).losses_of_worker) == (2, 1)
    run_job.work_on(workspace, undisturbed, "third")
    assert result(workspace, job)[0] == result(workspace, undisturbed)[0]
    assert result(workspace, job)[1] == result(workspace, undisturbed)[1]
