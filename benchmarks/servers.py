"""The servers that predictions are measured beside, each a process of its own with the same weights."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.serving import free_port, wait_for

ROOT = Path(__file__).parents[1]
MLSERVER = ROOT / ".venv-mlserver" / "bin"


@contextmanager
def server(command: list[str], ready: str, **environment: str) -> Iterator[None]:
    """A process that serves, from when it answers at `ready`."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=log, cwd=ROOT)
        try:
            wait_for(lambda: answers(ready), 60)
            yield
        finally:
            process.terminate()
            process.wait(20)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code < 500
    except httpx.TransportError:
        return False


@contextmanager
def mlserver(folder: Path) -> Iterator[str]:
    """The address at which MLServer infers with a fresh network, whose weights are in weights.npz in the folder."""
    port = free_port()
    maker = ROOT / "benchmarks" / "peers" / "mlserver_model.py"
    subprocess.run([str(MLSERVER / "python"), "-W", "ignore", str(maker), str(folder), str(port)], check=True)
    url = f"http://127.0.0.1:{port}/v2"
    # with its environment first: it starts what it finds on the path
    path = f"{MLSERVER}{os.pathsep}{os.environ['PATH']}"
    with server([str(MLSERVER / "mlserver"), "start", str(folder)], f"{url}/health/ready", PATH=path):
        yield f"{url}/models/network/infer"


@contextmanager
def fastapi(weights: Path) -> Iterator[str]:
    """The address of the endpoints of peers/fastapi_rows.py."""
    port = free_port()
    options = ["--factory", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.peers.fastapi_rows:create_app", *options]
    with server(command, f"http://127.0.0.1:{port}/openapi.json", WEIGHTS=str(weights)):
        yield f"http://127.0.0.1:{port}"
