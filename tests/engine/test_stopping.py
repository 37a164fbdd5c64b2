"""A stop ends the service, whatever it is doing."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.serving import GRACE, READY, http_client

THREADS = 40
"""Threads that work on requests."""
MORE_THAN_THREADS = THREADS + 5
SERVICE = """
import asyncio
import sys
import threading

import service.app
from fastapi import FastAPI
from service.startup import preparation
from service.server import Server
from service.settings import Settings

create_app = service.app.create_app


def with_endpoints_that_never_end(settings: Settings) -> FastAPI:
    app = create_app(settings)

    @app.get("/hang")
    def hang() -> None:
        print("begun\\n", end="", flush=True)
        threading.Event().wait()

    @app.get("/busy")
    def be_busy() -> None:
        print("begun\\n", end="", flush=True)
        while True:
            pass

    @app.get("/stubborn")
    async def wait_though_cancelled() -> None:
        print("begun\\n", end="", flush=True)
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass

    return app


if __name__ == "__main__":
    service.app.create_app = with_endpoints_that_never_end
    settings = Settings(port=0, data=sys.argv[1], workers=1)
    with preparation.prepared(settings) as sockets:
        Server(settings).run(sockets)
"""


class Service:
    """A service with endpoints that never end."""

    def __init__(self, folder: Path) -> None:
        script = folder / "never_ending.py"
        script.write_text(SERVICE)
        (folder / "data").mkdir()
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(folder / "data")], stdout=subprocess.PIPE, text=True
        )
        self.url = self.next_line().removeprefix(READY)

    def next_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, path: str) -> None:
        """Send a request that never gets an answer."""
        threading.Thread(target=self._ask, args=(path,), daemon=True).start()

    def _ask(self, path: str) -> None:
        with suppress(httpx.HTTPError):
            http_client(self.url).get(path)


@pytest.fixture
def never_ending(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()
        assert service.process.stdout is not None
        service.process.stdout.close()


def test_a_stop_waits_for_no_request_that_never_ends(never_ending: Service) -> None:
    requests = ["/stubborn", "/busy", *["/hang"] * MORE_THAN_THREADS]
    for path in requests:
        never_ending.ask(path)
    for _ in range(THREADS + 1):  # and the one that needs none
        assert never_ending.next_line() == "begun"
    children = psutil.Process(never_ending.process.pid).children(recursive=True)
    never_ending.process.terminate()
    never_ending.process.wait(GRACE)
    _, alive = psutil.wait_procs(children, GRACE)
    assert alive == []
