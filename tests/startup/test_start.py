"""A start: the order of loading, and the answers meanwhile."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.support.databases import NAME, database_in
from tests.support.problems import problem
from tests.support.serving import PATIENCE, free_port, http_client, wait_for

pytestmark = pytest.mark.waits(12)

URL = "http://127.0.0.1/api/models"
HEAVY = {
    "alembic",
    "dask",
    "distributed",
    "fastapi",
    "numpy",
    "onnx",
    "opentelemetry",
    "opentelemetry.sdk",
    "pyarrow",
    "pydantic",
    "sqlalchemy",
    "uvicorn",
}

WAITING = """
import sys, types
from service.startup import preparation
from service.server import Server
from service.settings import Settings

def when_told(settings):
    if sys.stdin.readline() == "fail\\n":
        raise RuntimeError("this application cannot be made")
    del sys.modules["service.app"]
    from service.app import create_app
    return create_app(settings)

sys.modules["service.app"] = types.SimpleNamespace(create_app=when_told)
settings = Settings(data=sys.argv[1], port=int(sys.argv[2]), scheduler="tcp://127.0.0.1:9")
with preparation.prepared(settings) as sockets:
    Server(settings).run(sockets)
"""
"""A service whose application is not loaded before it reads a line."""


COLLECTING = """
import contextlib, gc, os, sys, types
from starlette.applications import Starlette
from service.server import Server
from service.settings import Settings

def create_app(settings):
    print(gc.isenabled())
    return Starlette(lifespan=lifespan)

@contextlib.asynccontextmanager
async def lifespan(app):
    print(gc.isenabled(), flush=True)
    os._exit(0)
    yield

sys.modules["service.app"] = types.SimpleNamespace(create_app=create_app)
Server(Settings(port=0)).run()
"""
"""A program that prints whether the collector is on while the application is made, and afterwards."""


class WaitingService:
    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process, self.port = process, port
        self.http = http_client(f"http://127.0.0.1:{port}")

    def is_live(self) -> bool:
        try:
            return self.http.get("/health/live").text == '{"status":"live"}'
        except httpx.TransportError:
            return False

    def tell(self, what: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()


@pytest.fixture
def waiting(folder: Path) -> Iterator[WaitingService]:
    port, pipe = free_port(), subprocess.PIPE
    command = [sys.executable, "-c", WAITING, str(folder), str(port)]
    with subprocess.Popen(command, stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, text=True) as process:
        service = WaitingService(process, port)
        try:
            wait_for(lambda: process.poll() is not None or service.is_live())
            yield service
        finally:
            service.http.close()
            process.kill()


def loaded_by(*steps: str, arguments: Sequence[str] = ()) -> list[set[str]]:
    """The heavy packages that a program has loaded after each of its steps."""
    ending = f"\nimport sys; print(*({HEAVY} & set(sys.modules)))\n"
    command = [sys.executable, "-c", "".join(step + ending for step in steps), *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [set(line.split()) for line in said.splitlines()]


HELP = """
import contextlib, gc, io
gc.disable()
from service.cli import cli
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    cli(["--help"])
"""
SERVER = """
from service.server import Server
from service.settings import Settings
Server(Settings()).config.load()
"""


def test_each_step_of_a_start_loads_what_it_needs() -> None:
    """Help loads nothing heavy, a server listens before the application, which does without Dask and formats."""
    helping, listening, serving = loaded_by(HELP, SERVER, "import service.app")
    assert helping == set()
    assert listening == {"pydantic", "uvicorn"}
    assert serving == listening | {"fastapi", "numpy", "opentelemetry", "sqlalchemy"}


def test_the_collector_rests_while_the_application_loads_and_no_longer() -> None:
    command = [sys.executable, "-c", COLLECTING]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE).stdout
    assert said.split() == ["False", "True"]


def test_a_database_that_has_the_present_schema_is_opened_without_alembic(tmp_path: Path) -> None:
    step = """
import sys
from service.database.database import Database
from service.database.migrate import migrate
database = Database(f"sqlite:///{sys.argv.pop(1)}")
migrate(database)
database.close()
"""
    with closing(database_in(tmp_path)):
        opened, made = loaded_by(step, step, arguments=[str(tmp_path / NAME), str(tmp_path / "another.db")])
    assert opened == {"sqlalchemy"}
    assert "alembic" in made


def test_a_worker_is_forked_with_all_it_needs_and_nothing_of_the_edge() -> None:
    assert loaded_by("import service.engine.template") == [{"dask", "distributed", "numpy", "sqlalchemy"}]


def test_requests_wait_for_the_application_and_a_probe_does_not(waiting: WaitingService) -> None:
    with ThreadPoolExecutor() as pool:
        requests = [pool.submit(waiting.http.get, path) for path in ("/api/models", "/openapi.json", "/nowhere")]
        assert waiting.is_live()
        assert not any(request.done() for request in requests)
        waiting.tell("go on")
        assert [request.result().status_code for request in requests] == [200, 200, 404]
    assert waiting.is_live()
    problem(waiting.http.get("/health/ready"), 503)


def test_a_stop_while_the_application_loads_sends_away_who_waits(waiting: WaitingService) -> None:
    connection = HTTPConnection("127.0.0.1", waiting.port, timeout=PATIENCE)
    connection.request("GET", "/api/models")
    assert waiting.is_live()  # and so the request that was sent before has come in
    waiting.process.terminate()
    raw = connection.getresponse()
    answer = httpx.Response(raw.status, headers=raw.getheaders(), content=raw.read(), request=httpx.Request("GET", URL))
    assert problem(answer, 503)["code"] == "stopping"
    connection.close()
    assert waiting.process.wait(PATIENCE) == 0


def test_an_application_that_cannot_be_made_ends_the_service(waiting: WaitingService) -> None:
    waiting.tell("fail")
    assert waiting.process.wait(PATIENCE) == 3
    assert waiting.process.stderr is not None
    assert "this application cannot be made" in waiting.process.stderr.read()
