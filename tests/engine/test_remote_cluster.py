"""A Dask cluster elsewhere: real scheduler and worker processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from service.client import Client
from tests.support.serving import GRACE, ended_command, free_port, running_service, wait_for

pytestmark = pytest.mark.waits(15)

OF_ANOTHER_VERSION = {"DESCENT_WORKSHOP": "1"}
"""A setting that this version does not know; workers read none, and so refuse none."""


@contextmanager
def dask(folder: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir(exist_ok=True)
    with (folder / "dask.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_" + command[0], *command[1:]],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **OF_ANOTHER_VERSION},
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def cluster(folder: Path, port: int) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(dask(folder, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"))
        worker = ("worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard", "--no-nanny")
        stack.enter_context(dask(folder, *worker))
        yield


def tutorial(client: Client) -> str:
    dataset = client.create_dataset({"x": [0, 1, 2, 3], "y": [2, 6, 10, 14]}, ["y"])
    model = client.create_model("Dense(1 => 1)")
    return client.train(model.id, dataset.id, epochs=10).id


def is_ready(http: httpx.Client) -> bool:
    return http.get("/health/ready").status_code == 200


def test_jobs_wait_for_a_scheduler_that_comes_goes_and_comes_again(tmp_path: Path) -> None:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    with running_service(tmp_path / "data", "--scheduler", address) as service, service.client() as client:
        job = tutorial(client)
        assert not is_ready(client.http)
        with cluster(tmp_path / "first", port):
            assert client.job(job, wait=60).state == "succeeded"
            assert is_ready(client.http)
        wait_for(lambda: not is_ready(client.http))

        job = tutorial(client)
        with cluster(tmp_path / "second", port):
            assert client.job(job, wait=60).state == "succeeded"


def test_a_service_whose_scheduler_never_comes_stops_in_moments(tmp_path: Path) -> None:
    with running_service(tmp_path / "data", "--scheduler", f"tcp://127.0.0.1:{free_port()}") as service:
        assert service.stop() < GRACE


def test_an_address_that_is_none_is_refused_at_the_start() -> None:
    result = ended_command("serve", "--scheduler", "elsewhere")
    assert result.returncode == 2
    assert "DESCENT_SCHEDULER" in result.stderr
