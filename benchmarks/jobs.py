"""The tutorial's job over HTTP: from POST to answer, and hundreds at once, beside another checkout of Descent.

    .venv/bin/python -m benchmarks.jobs
    .venv/bin/python -m benchmarks.jobs --beside ../before --rounds 10
    .venv/bin/python -m benchmarks.jobs --h2o .venv-h2o/bin/python

Each checkout has its own environment in .venv. Their services take turns, round after round, on one disk.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from benchmarks.start import ROOT, serving
from tests.support.serving import free_port, http_client, wait_for

ALONE = 20
"""Jobs of a round that are posted one after the other."""
AT_ONCE = 200
"""Jobs of a round that are posted by several connections."""
CONNECTIONS = 8
RECIPE = {"epochs": 201, "optimiser": {"rule": "Descent", "eta": 0.1}, "from_version": 0}
DATA = {"columns": {"x": list(range(6)), "y": [4 * x + 2 for x in range(6)]}, "targets": ["y"]}
H2O_AIM = 3.0
AIMS = {"time": 1.0, "processor": 0.6, "rate": 3.0}
"""Most times the time and the processor time of before, least times its jobs a second."""
SYNCS = 200


@dataclass(frozen=True)
class Used:
    """Seconds of processor that a service's own process took, and its workers."""

    service: float
    workers: float

    @classmethod
    def by(cls, pid: int) -> "Used":
        service = psutil.Process(pid)
        return cls(_seconds(service), sum(map(_seconds, service.children(recursive=True))))

    def since(self, before: "Used", jobs: int) -> "Used":
        """Seconds a job."""
        return Used((self.service - before.service) / jobs, (self.workers - before.workers) / jobs)

    @property
    def total(self) -> float:
        return self.service + self.workers


def _seconds(process: psutil.Process) -> float:
    taken = process.cpu_times()
    return float(taken.user + taken.system)


@dataclass
class Side:
    """A running service of one checkout, and what it took so far."""

    http: httpx.Client
    pid: int
    job: dict[str, Any] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    """Seconds from POST to answer, job by job."""
    alone: list[Used] = field(default_factory=list)
    together: list[Used] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    """Jobs a second from the first POST to the last end, round by round."""

    def prepare(self) -> None:
        wait_for(lambda: self.http.get("/health/ready").is_success)
        dataset = self._created("/api/datasets", DATA)
        self.job = {"model": self._created("/api/models", {"architecture": "Dense(1 => 1)"}), "dataset": dataset}
        self.job |= RECIPE
        self.one_by_one()
        self.times.clear()
        self.alone.clear()

    def _created(self, path: str, body: dict[str, Any]) -> str:
        return str(self.http.post(path, json=body).raise_for_status().json()["id"])

    def one_by_one(self) -> None:
        before = Used.by(self.pid)
        for _ in range(ALONE):
            began = time.perf_counter()
            answer = self.http.post("/api/jobs", json=self.job, headers={"Prefer": "wait=60"})
            self.times.append(time.perf_counter() - began)
            assert answer.json()["state"] == "succeeded", answer.text
        self.alone.append(Used.by(self.pid).since(before, ALONE))

    def at_once(self) -> None:
        before, began = Used.by(self.pid), time.perf_counter()
        clients = threading.local()

        def post(_: int) -> int:
            if not hasattr(clients, "http"):
                clients.http = http_client(str(self.http.base_url))
            return int(clients.http.post("/api/jobs", json=self.job).status_code)

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            assert set(pool.map(post, range(AT_ONCE))) == {202}
        wait_for(lambda: not self._any("queued") and not self._any("running"), 600)
        self.rates.append(AT_ONCE / (time.perf_counter() - began))
        self.together.append(Used.by(self.pid).since(before, AT_ONCE))

    def _any(self, state: str) -> bool:
        return bool(self.http.get(f"/api/jobs?limit=1&state={state}").json()["items"])

    def __str__(self) -> str:
        return (
            f"POST with wait to answer {median(self.times) * 1e3:.1f} ms, {_in_words(self.alone)}; "
            f"by {CONNECTIONS} connections {median(self.rates):.1f} jobs a second, {_in_words(self.together)}"
        )


def _in_words(used: list[Used]) -> str:
    service, workers = (median(getattr(each, part) for each in used) * 1e3 for part in ("service", "workers"))
    return f"{service + workers:.1f} ms of processor a job ({service:.1f} service, {workers:.1f} workers)"


class H2O:
    """A process that trains H2O's linear model on the same line, by as many connections."""

    def __init__(self, python: Path, opened: ExitStack) -> None:
        program = ROOT / "benchmarks" / "peers" / "h2o_line.py"
        command, pipe = [str(python), str(program)], subprocess.PIPE
        started = subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe)
        self._process = opened.enter_context(started)
        self.rates: list[float] = []

    def at_once(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(AT_ONCE, CONNECTIONS, file=self._process.stdin, flush=True)
        self.rates.append(float(self._process.stdout.readline()))


def beside_h2o(now: Side, h2o: H2O) -> bool:
    """Print our rate as a multiple of H2O's, the first round left out, in which Java compiles; whether it is enough."""
    ratio = median(ours / other for ours, other in zip(now.rates[1:], h2o.rates[1:], strict=True))
    theirs = median(h2o.rates[1:])
    print(f"H2O: {theirs:.1f} linear models a second; now {ratio:.1f} times (at least {H2O_AIM:g} wanted)")
    return ratio >= H2O_AIM


def syncs(folder: Path) -> float:
    """Return how often a second a few bytes reach the disk."""
    with (folder / "syncs").open("wb") as file:
        began = time.perf_counter()
        for _ in range(SYNCS):
            file.write(b"a" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        return SYNCS / (time.perf_counter() - began)


def compare(before: Side, now: Side) -> bool:
    """Print the figures as multiples of those before; whether all aims are met."""

    def times(figure: Callable[[Side], list[float]]) -> float:
        return median(after / earlier for earlier, after in zip(figure(before), figure(now), strict=True))

    found = {
        "time": median(now.times) / median(before.times),
        "processor": times(lambda side: [used.total for used in side.alone]),
        "processor of many": times(lambda side: [used.total for used in side.together]),
        "rate": times(lambda side: side.rates),
    }
    for figure, ratio in found.items():
        aim = AIMS.get(figure)
        missed = aim is not None and (ratio < aim if figure == "rate" else ratio > aim)
        wanted = "" if aim is None else f" (at {'least' if figure == 'rate' else 'most'} {aim:g} wanted)"
        print(f"{figure}: {ratio:.2f} times that of before{wanted}{': MISSED' if missed else ''}")
    return found["time"] <= AIMS["time"] and found["processor"] <= AIMS["processor"] and found["rate"] >= AIMS["rate"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs", description=__doc__.splitlines()[0])
    parser.add_argument("--beside", type=Path, help="another checkout, the older one")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--h2o", type=Path, metavar="PYTHON", help="a Python that has the package h2o, beside a JRE")
    arguments = parser.parse_args()
    checkouts = {"before": arguments.beside.absolute()} if arguments.beside else {}
    checkouts["now"] = ROOT
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        print(f"the disk syncs {syncs(Path(folder)):,.0f} times a second")
        sides = {}
        for name, checkout in checkouts.items():
            port = free_port()
            process = opened.enter_context(serving(checkout, Path(folder) / name, port))
            wait_for(partial(_listens, port))
            sides[name] = Side(opened.enter_context(http_client(f"http://127.0.0.1:{port}")), process.pid)
            sides[name].prepare()
        h2o = H2O(arguments.h2o, opened) if arguments.h2o else None
        for number in range(arguments.rounds):
            for measure in (Side.one_by_one, Side.at_once):
                for side in sides.values():
                    measure(side)
            if h2o is not None:
                h2o.at_once()
            print(f"round {number + 1} of {arguments.rounds} is done", file=sys.stderr)
        for name, side in sides.items():
            print(f"{name}: {side}")
        met = [compare(*sides.values())] if len(sides) > 1 else []
        met += [beside_h2o(sides["now"], h2o)] if h2o is not None else []
        sys.exit(0 if all(met) else 1)


def _listens(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
