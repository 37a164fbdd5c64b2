"""Requests of one kind, as fast as they are answered, by wrk."""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = """
local file = io.open("{body}", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
{headers}
"""
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


@dataclass(frozen=True)
class Request:
    """A POST to be repeated."""

    url: str
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Load:
    """The result of a load."""

    rate: float
    """Requests a second."""
    median: float
    """Seconds from request to answer."""


def load(request: Request, connections: int = 4, seconds: int = 3) -> Load:
    """Each of the connections sends its next request when its last is answered.

    Raises:
        RuntimeError: an answer was no 2xx, or a connection failed.
    """
    headers = {"Content-Type": request.media_type, **request.headers}
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder) / "body", Path(folder) / "post.lua"
        body.write_bytes(request.body)
        lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
        script.write_text(SCRIPT.format(body=body, headers=lines))
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", "-s", str(script)]
        command = ["wrk", *options, request.url]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(f"{request.url} did not answer as it should:\n{told}")
    median = re.search(r"50%\s+([\d.]+)(us|ms|s)", told)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    assert median, told
    assert rate, told
    return Load(float(rate[1]), float(median[1]) * UNITS[median[2]])
