"""A cluster that does not come up leaves no workers behind, and one that works remembers none of its work."""

import gc
import subprocess
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import dask
import pytest
from distributed import Client, LocalCluster
from distributed.scheduler import TaskGroup
from distributed.spans import Span

from service.engine import cluster as clusters
from service.engine.cluster import EXTENSIONS, QUIET, Cluster
from service.settings import Settings
from tests.support.serving import wait_for


def test_workers_end_where_their_scheduler_is_not_reached_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as worker:
        nanny = Mock(process=SimpleNamespace(pid=worker.pid))
        local = Mock(workers={0: nanny}, close=Mock(side_effect=TimeoutError("timed out after 1 s.")))
        monkeypatch.setattr(clusters, "_embedded", lambda *_: local)
        monkeypatch.setattr(clusters, "Client", Mock(side_effect=OSError("the scheduler does not answer")))
        with pytest.raises(OSError, match="the scheduler does not answer"):
            Cluster(Settings(data=tmp_path))
        assert worker.wait() == -9
    nanny.close_gracefully.assert_called()


def test_the_scheduler_forgets_tasks_that_came_one_by_one() -> None:
    with (
        dask.config.set(QUIET),
        LocalCluster(
            n_workers=1, processes=False, dashboard_address=":0", scheduler_kwargs={"extensions": EXTENSIONS}
        ) as cluster,
        Client(cluster) as client,
    ):
        before = remembered()
        for task in range(5):
            assert client.submit(int, task, pure=False).result() == task
            wait_for(lambda: not cluster.scheduler.tasks)
        assert remembered() - before <= 1  # that of the last one


def remembered() -> int:
    gc.collect()
    return sum(isinstance(each, Span | TaskGroup) for each in gc.get_objects())
