"""A job whose database another program has locked for long: it keeps its claim, loses nothing, and ends by itself."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any
from unittest.mock import Mock

import pytest

from service.database import database as databases
from service.engine import assignment, run_job
from service.engine.assignment import Assignment
from service.engine.dispatcher import Dispatcher
from service.engine.ends import ending
from service.engine.workspace import Workspace
from service.jobs import operations
from tests.support.serving import PATIENCE, wait_for


def test_the_end_of_a_job_waits_for_the_lock_of_the_database(
    workspace: Workspace, post: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(epochs=3)
    workspace.database.close()
    workspace.beats.close()  # the patience below is that of new connections
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    monkeypatch.setattr(ending, "FIRST_GAP", 0.05)
    prepare, lock = assignment.prepare, threading.Event()
    reserve, file = workspace.database.reserve, workspace.database.file
    assert reserve is not None
    assert file is not None
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:

        def locking(*arguments: Any) -> Assignment:
            other.execute("BEGIN IMMEDIATE")
            lock.set()
            return prepare(*arguments)

        monkeypatch.setattr(assignment, "prepare", locking)
        worker = threading.Thread(target=run_job.work_on, args=(workspace, job, "message"), daemon=True)
        worker.start()
        assert lock.wait(PATIENCE)
        before = reserve.marked()
        wait_for(lambda: reserve.marked() > before)
        monkeypatch.setattr("service.jobs.queue.LEASE", 0.0)  # no beat came through: everybody may think it is lost
        Dispatcher(workspace.database, Mock(), Mock())._sweep()
        other.execute("ROLLBACK")
        Dispatcher(workspace.database, Mock(), Mock())._sweep()
        worker.join(PATIENCE)
    record = operations.show(workspace.database, job)
    assert (record.state, record.version, record.attempt, record.losses_of_worker) == ("succeeded", 1, 1, 0)
