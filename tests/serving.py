"""Real services for tests: uvicorn processes with their own data folder and engine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from service.client import Client

READY = "Descent is at "


class RunningService:
    """A service in a process of its own."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "service", "serve", "--port", "0", "--data", str(folder), *options]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DESCENT_")}
        folder.mkdir(exist_ok=True)
        with (folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**clean, **environment}
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(READY), f"the service did not start:\n{self.log}"
        self.url = line.removeprefix(READY).strip()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def client(self) -> Client:
        return Client(self.url)

    def workers(self) -> list[psutil.Process]:
        """The worker processes: all that the service started, but for multiprocessing's own helper."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if "spawn_main" in " ".join(_command(child))]

    def kill(self) -> None:
        """SIGKILL for the service and all its workers, at once."""
        doomed = [*self.workers(), psutil.Process(self.process.pid)]
        for process in doomed:
            process.kill()
        self.process.wait()
        self._close()

    def stop(self) -> float:
        """SIGTERM; the seconds that it took to end."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)
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


@contextmanager
def running_service(folder: Path, *options: str, **environment: str) -> Iterator[RunningService]:
    service = RunningService(folder, *options, **environment)
    try:
        yield service
    finally:
        service.stop()


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Return as soon as `condition` holds; fail where it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
