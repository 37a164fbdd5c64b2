"""Headers without end: the answer, the wait of others for /health/live meanwhile, and the memory it takes.

.venv/bin/python -m benchmarks.headers                          this checkout
.venv/bin/python -m benchmarks.headers --checkout ../before     another one, with its own .venv
.venv/bin/python -m benchmarks.headers --mebibytes 16           less of it
"""

import argparse
import http.client
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support.serving import READY

ROOT = Path(__file__).parents[1]
MEBIBYTE = 1 << 20
LONGEST = 120
"""Seconds that an answer is waited for."""
ASK = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
ATTACKS = {
    "one header": (ASK + b"X: ", b"v" * MEBIBYTE),
    "many headers": (ASK, b"X: v\r\n" * (MEBIBYTE // 6)),
    "a path": (b"GET /", b"p" * MEBIBYTE),
    "a trailer": (ASK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: ", b"v" * MEBIBYTE),
}
"""The beginning of each attack, and a mebibyte of its continuation."""


@contextmanager
def service(checkout: Path) -> Iterator[tuple[int, int]]:
    """A service of a checkout: its process and its port."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        command = [
            str(checkout / ".venv" / "bin" / "python"),
            "-m",
            "service",
            "serve",
            "--port",
            "0",
            "--workers",
            "1",
        ]
        process = subprocess.Popen(
            [*command, "--data", f"{folder}/data"], cwd=checkout, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(READY), "the service did not start"
            yield process.pid, int(line.rpartition(":")[2])
        finally:
            process.terminate()
            process.communicate()


def attack(port: int, start: bytes, more: bytes, count: int) -> str:
    """Send all of it; return the status of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as connection:
        try:
            connection.sendall(start)
            for _ in range(count):
                connection.sendall(more)
            return connection.recv(12)[9:].decode() or "none"
        except TimeoutError:
            return "none"
        except OSError:
            return "broken off"


def watched(port: int, over: threading.Event) -> float:
    """The longest that /health/live took until `over`, in seconds."""
    worst = 0.0
    while not over.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
        began = time.perf_counter()
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        worst = max(worst, time.perf_counter() - began)
        connection.close()
    return worst


def memory(process: int, field: str) -> int:
    """VmRSS or VmHWM of a process, in mebibytes."""
    lines = (Path("/proc") / str(process) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) >> 10


def measure(name: str, checkout: Path, count: int) -> str:
    """Return a row of the table."""
    with service(checkout) as (process, port), ThreadPoolExecutor() as pool:
        over, before = threading.Event(), memory(process, "VmRSS")
        watching, began = pool.submit(watched, port, over), time.perf_counter()
        answer = attack(port, *ATTACKS[name], count)
        seconds = time.perf_counter() - began
        over.set()
        more = max(0, memory(process, "VmHWM") - before)
        return f"| {name} | {answer} | {seconds:.2f} | {watching.result() * 1e3:.0f} | {more} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.headers", description=__doc__.splitlines()[0])
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--mebibytes", type=int, default=256)
    arguments = parser.parse_args()
    print(f"| {arguments.mebibytes} MiB as | answer | s | worst /health/live, ms | memory, MiB more |")
    print("| --- | --- | --- | --- | --- |")
    for name in ATTACKS:
        print(measure(name, arguments.checkout.absolute(), arguments.mebibytes), flush=True)


if __name__ == "__main__":
    main()
