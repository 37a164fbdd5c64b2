"""Requests that are meant to hurt: a real service's answers, the wait of all others meanwhile, and the memory.

    .venv/bin/python -m benchmarks.hostile                          this checkout
    .venv/bin/python -m benchmarks.hostile --checkout ../before     another one, with its own .venv
    .venv/bin/python -m benchmarks.hostile --only keys

Each attack gets a service of its own on 127.0.0.1 and is sent twice: to its end, and with a SIGTERM behind it.
Memory is the peak of the service's own process above what it had before, workers not counted.
"""

import argparse
import http.client
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.attacks import Attack, attacks
from tests.support.serving import READY, wait_for

ROOT = Path(__file__).parents[1]
LONGEST = 30
"""Seconds that an answer or a stop is waited for."""
START = 120
"""Seconds that a service gets until it is ready."""
PAUSE = 0.01
"""Seconds between two looks at /health/live."""
HEAD_START = 0.3
"""Seconds from an attack to the SIGTERM."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one attack, in seconds and mebibytes."""

    answer: str
    seconds: float
    worst: float
    memory: float
    exit: float

    def row(self, attack: Attack) -> str:
        body = f"{attack.copies} × {attack.size:.1f}" if attack.copies > 1 else f"{attack.size:.1f}"
        end = f"{self.exit:.1f}" if self.exit < LONGEST else "killed"
        return (
            f"| {attack.name} | {body} | {self.answer} | {self.seconds:.2f} | {self.worst * 1e3:.0f} "
            f"| {self.memory:.0f} | {end} |"
        )


@contextmanager
def service(checkout: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service of a checkout, and its port."""
    command = [str(checkout / ".venv" / "bin" / "python"), "-m", "service", "serve", "--port", "0", "--workers", "1"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data", str(folder / "data")], cwd=checkout, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(READY), (folder / "log").read_text()
        port = int(line.rpartition(":")[2])
        wait_for(lambda: send(port, "GET", "/health/ready") == "200", START)
        yield process, port
    finally:
        for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
            child.kill()
        process.kill()
        process.wait()


def send(port: int, method: str, path: str, body: bytes = b"", media_type: str = "application/json") -> str:
    """Send a body; return the status of the answer, or a word where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    try:
        connection.request(method, path, body, {"Content-Type": media_type})
        return str(connection.getresponse().status)
    except TimeoutError:
        return "none"
    except OSError:
        return "broken off"
    finally:
        connection.close()


def attack_with(attack: Attack, port: int) -> str:
    """Send all copies at once; return the statuses of the answers, each once."""
    with ThreadPoolExecutor(attack.copies) as pool:
        sent = [
            pool.submit(send, port, "POST", attack.path, attack.body, attack.media_type) for _ in range(attack.copies)
        ]
        return ", ".join(sorted({each.result() for each in sent}))


def watched(port: int, over: threading.Event) -> float:
    """The longest that /health/live took, in seconds, until `over`."""
    worst = 0.0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    while not over.is_set():
        began = time.perf_counter()
        try:
            connection.request("GET", "/health/live")
            connection.getresponse().read()
        except OSError:
            connection.close()
        worst = max(worst, time.perf_counter() - began)
        over.wait(PAUSE)
    connection.close()
    return worst


def peak(process: subprocess.Popen[str], *, reset: bool = False) -> float:
    """The most memory that a process had since the last reset, in mebibytes."""
    folder = Path("/proc") / str(process.pid)
    if reset:
        (folder / "clear_refs").write_text("5")
    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(attack: Attack, checkout: Path) -> Outcome:
    with (
        tempfile.TemporaryDirectory() as name,
        service(checkout, Path(name)) as (process, port),
        ThreadPoolExecutor() as pool,
    ):
        send(port, "POST", "/api/models", b'{"name": "target", "architecture": "Dense(2 => 1)"}')
        send(port, "POST", "/api/models/target/predictions", b'{"inputs": [[1, 2]]}')
        over = threading.Event()
        watching = pool.submit(watched, port, over)
        before, began = peak(process, reset=True), time.perf_counter()
        answer = attack_with(attack, port)
        seconds = time.perf_counter() - began
        over.set()
        memory = peak(process) - before
        again = pool.submit(attack_with, attack, port)
        time.sleep(HEAD_START)
        told = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
        outcome = Outcome(answer, seconds, watching.result(), memory, time.perf_counter() - told)
        again.result()
        return outcome


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__.splitlines()[0])
    parser.add_argument("--checkout", type=Path, default=ROOT)
    parser.add_argument("--only", nargs="+", default=[""], help="attacks with one of these in their name")
    arguments = parser.parse_args()
    print("| attack | MiB | answer | s | worst /health/live, ms | memory, MiB more | exit after SIGTERM, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    worst = []
    for attack in attacks():
        if any(part in attack.name for part in arguments.only):
            outcome = measure(attack, arguments.checkout.absolute())
            worst.append(outcome.worst)
            print(outcome.row(attack), flush=True)
    if worst:
        print(f"\nThe worst of /health/live: {statistics.median(worst) * 1e3:.0f} ms in the median attack")


if __name__ == "__main__":
    main()
