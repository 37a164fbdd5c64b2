"""Embedded workers: forked from a process that has loaded all they need, alone on one thread, and polite."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from service.engine.cluster import Cluster
from service.engine.workspace import NICENESS, Place, workspace_at
from service.settings import Settings
from tests.support.serving import RunningService, running_service, wait_for
from tests.support.training import line, straight

pytestmark = pytest.mark.waits(12)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(Settings(data=tmp_path_factory.mktemp("cluster"), workers=1))
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("workers"), "--workers", "2") as running:
        wait_for(lambda: len(running.workers()) == 2)
        yield running


def in_a_worker(cluster: Cluster, work: Any, *arguments: Any) -> Any:
    """Return a function's result there; it has to be made inside a test, so that its code travels and not its name."""
    return cluster._client.submit(work, *arguments, pure=False).result()


def test_jobs_run_at_niceness_ten_with_one_thread_for_blas(cluster: Cluster, tmp_path: Path) -> None:
    def manners(place: Place) -> tuple[int, list[int]]:
        from threadpoolctl import threadpool_info

        workspace_at(place)
        return os.nice(0), [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    place = Place(f"sqlite:///{tmp_path / 'descent.db'}", str(tmp_path), tmp_path)
    assert in_a_worker(cluster, manners, place) == (NICENESS, [1])


def test_a_worker_has_one_thread_for_blas_whatever_the_environment_says(cluster: Cluster) -> None:
    def threads() -> list[int]:
        import numpy as np  # noqa: F401 - the process that it was forked from has loaded it
        from threadpoolctl import threadpool_info

        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]

    assert in_a_worker(cluster, threads) == [1]


def test_a_worker_goes_on_after_work_that_took_too_much_memory(cluster: Cluster, tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path / 'descent.db'}", str(tmp_path), tmp_path, 300 << 20)

    def greedy(place: Place) -> int:
        import numpy as np

        from service.engine.workspace import limited_memory

        with limited_memory(workspace_at(place).memory):
            square = np.ones((2000, 2000))
            square.dot(square)
            try:
                np.ones(1 << 30, np.int8)
            except MemoryError:
                return os.getpid()
        return 0

    first, second = (in_a_worker(cluster, greedy, place) for _ in range(2))
    assert first == second != 0


def test_a_worker_collects_its_own_garbage_alone(cluster: Cluster) -> None:
    def collects() -> tuple[bool, bool]:
        import gc

        return gc.isenabled(), gc.get_freeze_count() > 100_000

    assert in_a_worker(cluster, collects) == (True, True)


def test_the_fork_server_runs_no_thread_beside_its_own(service: RunningService) -> None:
    fork_server = service.fork_server()
    assert fork_server is not None
    with service.client() as client:
        assert client.train(straight(client).id, line(client).id, wait=30, epochs=1).state == "succeeded"
    assert fork_server.num_threads() == 1


def test_a_fork_server_that_is_killed_is_replaced_and_its_workers_too(service: RunningService) -> None:
    killed, orphans = service.fork_server(), service.workers()
    assert killed is not None
    killed.kill()
    with service.client() as client:  # a waiting job shows that workers died as they started, which Dask does not mend
        assert client.train(straight(client).id, line(client).id, wait=30, epochs=1).state == "succeeded"
    wait_for(lambda: len({*service.workers()} - {*orphans}) == 2)
    wait_for(lambda: not any(worker.is_running() for worker in orphans))


def test_a_signal_to_the_whole_group_is_the_service_s_to_heed(service: RunningService) -> None:
    written = len(service.log)
    family = psutil.Process(service.process.pid).children(recursive=True)
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        for process in family:
            process.send_signal(signal_number)
    with service.client() as client:
        assert client.train(straight(client).id, line(client).id, wait=30, epochs=1).losses_of_worker == 0
    assert len(service.workers()) == 2
    assert {*service.workers()} <= {*family}
    assert "Traceback" not in service.log[written:]


def test_nothing_outlives_a_service_that_is_killed(tmp_path: Path) -> None:
    with running_service(tmp_path, "--workers", "1") as service:
        wait_for(lambda: len(service.workers()) == 1)
        family = psutil.Process(service.process.pid).children(recursive=True)
        service.process.kill()
        wait_for(lambda: not any(process.is_running() for process in family))


def test_jobs_run_where_no_fork_server_can_be_reached(tmp_path: Path) -> None:
    too_long_for_a_socket = tmp_path / ("x" * 100)
    too_long_for_a_socket.mkdir()
    with running_service(tmp_path / "data", "--workers", "1", TMPDIR=str(too_long_for_a_socket)) as service:
        with service.client() as client:
            assert client.train(straight(client).id, line(client).id, wait=60, epochs=1).state == "succeeded"
        assert "the fork server has no socket" in service.log
