"""Real services for tests: uvicorn processes with their own data folder and engine."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

import httpx
import psutil

from service.client import Client
from service.jobs.schemas import Job
from service.jobs.states import State
from tests.support.databases import lay_database
from tests.support.forked_services import ForkedProgram

READY = "Descent is at "
PATIENCE = 240.0
"""Seconds that a test waits before it fails: far more than a slow machine that is busy with other things takes."""
GRACE = 30.0
"""Seconds that Kubernetes leaves a process between SIGTERM and SIGKILL."""
WORKERS = 2
"""Workers of a service unless a test wants another number; several services run at once, whatever the processors."""


LONGEST_PAUSE = 0.05
"""Seconds between two looks at a condition at most; the first ones are closer together."""


def http_client(url: str) -> httpx.Client:
    """A client that loads no certificates: to do so takes longer than most tests, and nothing here is encrypted."""
    return httpx.Client(base_url=url, timeout=PATIENCE, verify=_NO_CERTIFICATES)


_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A context without certificates, which trusts no server."""


class PatientClient(Client):
    """A client that waits for the end of a job however long that takes, where it is to `wait` at all."""

    def __init__(self, url: str) -> None:
        self.http = http_client(url)

    def train(self, model: str, dataset: str, wait: int = 0, **recipe: Any) -> Job:
        job = super().train(model, dataset, wait, **recipe)
        return self._ended(job) if wait else job

    def job(self, job: str, wait: int = 0) -> Job:
        found = super().job(job, wait)
        return self._ended(found) if wait else found

    def _ended(self, job: Job) -> Job:
        deadline = time.monotonic() + PATIENCE
        while job.state in (State.QUEUED, State.RUNNING):
            assert time.monotonic() < deadline, f"job {job.id} did not end: it is {job.state}"
            job = super().job(job.id, wait=60)
        return job


class RunningService:
    """A service in a process of its own."""

    leads_group = False
    """Whether it leads a process group, as a terminal or systemd has it."""
    finds_database = True
    """Whether the present tables are there before the service: to make them takes a second."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        arguments = ["serve", "--port", "0", "--data", str(folder), *options]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DESCENT_")}
        clean["DESCENT_WORKERS"] = str(WORKERS)
        # The process that cleans up behind a killed service would warn in its log, sooner or later.
        clean["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"
        folder.mkdir(exist_ok=True)
        if self.finds_database:
            lay_database(folder)
        with (folder / "log").open("a") as log:
            self.process = self._start(arguments, {**clean, **environment}, log)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(READY), f"the service did not start:\n{self.log}"
        self.url = line.removeprefix(READY).strip()

    def _start(
        self, arguments: list[str], environment: dict[str, str], log: IO[str]
    ) -> ForkedProgram | subprocess.Popen[str]:
        return ForkedProgram("service", arguments, environment, log, group=self.leads_group)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, *options: str, **environment: str) -> Iterator[Self]:
        service = cls(folder, *options, **environment)
        try:
            yield service
        finally:
            service.stop()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def client(self) -> Client:
        return PatientClient(self.url)

    def wait_until_ready(self) -> None:
        """Return once jobs find workers."""
        with http_client(self.url) as http:
            wait_for(lambda: http.get("/health/ready").status_code == 200)

    def workers(self) -> list[psutil.Process]:
        """The worker processes: all that the fork server has forked."""
        fork_server = self.fork_server()
        return [] if fork_server is None else fork_server.children()

    def fork_server(self) -> psutil.Process | None:
        """The process that workers are forked from."""
        living = ((child, _command(child)) for child in psutil.Process(self.process.pid).children())
        return next((child for child, command in living if command and "resource_tracker" not in command[-1]), None)

    def kill(self) -> None:
        """Send SIGKILL to the service and all its workers, at once."""
        doomed = [*self.workers(), psutil.Process(self.process.pid)]
        for process in doomed:
            process.kill()
        self.process.wait()
        self._close()

    def stop(self) -> float:
        """Send SIGTERM; return the seconds that the service took to end."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)
        self._close()
        return time.monotonic() - began

    def _close(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


class WholeService(RunningService):
    """A service whose program starts by itself, and makes its tables."""

    finds_database = False

    def _start(self, arguments: list[str], environment: dict[str, str], log: IO[str]) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "service", *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)


running_service = RunningService.running


def ended_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of the service that ends by itself, with all that it printed."""
    with tempfile.TemporaryFile("w+") as log:
        program = ForkedProgram("service", arguments, {**os.environ, **environment}, log)
        with program.stdout as stdout:
            printed = stdout.read()
        code = program.wait(PATIENCE)
        log.seek(0)
        return subprocess.CompletedProcess(arguments, code, printed, log.read())


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Return as soon as `condition` holds; fail where it does not within `seconds`."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < seconds, "the condition did not come true in time"
        time.sleep(min(0.005 + waited / 10, LONGEST_PAUSE))  # a look takes processors from what it waits for


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
