"""Workers that hang, and a cluster that hands no tickets to its workers any more."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.engine import watchdog
from service.engine.cluster import Cluster
from service.engine.dispatcher import Dispatcher
from service.engine.lifecycle import Engine
from service.engine.workspace import Workspace
from service.jobs import operations
from service.jobs.records import JobRecord
from service.settings import Settings
from tests.support.serving import wait_for

pytestmark = pytest.mark.waits(10)

Post = Callable[..., str]


@contextmanager
def engine(workspace: Workspace, folder: Path) -> Iterator[Engine]:
    """An engine with one worker, which is ready."""
    engine = Engine(Settings(data=folder, workers=1), workspace.database, lambda: None)
    try:
        wait_for(lambda: engine.ready)
        yield engine
    finally:
        engine.stop()


def worker_of(engine: Engine) -> psutil.Process:
    cluster: Any = engine._cluster
    (nanny,) = cluster._local.workers.values()
    return psutil.Process(nanny.process.pid)


def job_of(workspace: Workspace, job: str) -> JobRecord:
    return operations.show(workspace.database, job)


def test_a_cluster_that_hands_out_nothing_is_replaced(
    workspace: Workspace, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "PATIENCE", 2.0)
    with engine(workspace, tmp_path) as running:
        hung = worker_of(running)
        hung.send_signal(signal.SIGSTOP)
        job = post(epochs=3)
        running.nudge()
        wait_for(lambda: job_of(workspace, job).state == "succeeded")
        assert (job_of(workspace, job).attempt, job_of(workspace, job).losses_of_worker) == (1, 0)
        assert not hung.is_running()


def test_a_worker_that_stops_with_the_lock_of_the_database_is_killed(
    workspace: Workspace, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim_and_hang(url: str, job: str) -> None:
        from service.database.database import Database
        from service.jobs import queue

        database = Database(url)
        with database.transaction() as session:
            queue.claim(session, job, "ticket")
        with database.transaction() as session:
            session.connection()
            os.kill(os.getpid(), signal.SIGSTOP)

    for lease in ("service.jobs.queue.LEASE", "service.engine.cluster.LEASE"):
        monkeypatch.setattr(lease, 2.5)  # beyond the beats of the second worker, however slow it is
    job = post(epochs=3)
    with closing(Cluster(Settings(data=tmp_path, workers=1))) as cluster:
        dispatcher, stopping = Dispatcher(workspace.database, cluster, lambda: None), threading.Event()
        future = cluster._client.submit(claim_and_hang, workspace.database.url, job, key="ticket")
        dispatcher._under_way["ticket"] = future
        future.add_done_callback(lambda _: dispatcher._done("ticket"))
        wait_for(lambda: job_of(workspace, job).state == "running")
        supplying = threading.Thread(target=dispatcher.run, args=(stopping,))
        supplying.start()
        wait_for(lambda: job_of(workspace, job).state == "succeeded")
        stopping.set()
        supplying.join()
    assert job_of(workspace, job).losses_of_worker == 1
    assert job_of(workspace, job).attempt == 2
