"""The cost of bookkeeping beside a checkout of another commit: bytes and seconds a report, and a model's metrics.

.venv/bin/python -m benchmarks.bookkeeping --before ../descent-before

Each side runs with the Python of its own checkout; they take turns, round after round.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import copies

ROOT = Path(__file__).parent.parent
READY = "Descent is at "
VERSIONS = 2000
REPORTS = 200_000
DATA = {"columns": {"x": list(range(11)), "y": [4 * x + 2 for x in range(11)]}, "targets": ["y"]}
OPTIMISER = {"rule": "Descent", "eta": 0.01}


@dataclass(frozen=True)
class Side:
    name: str
    checkout: Path
    folder: Path


@contextmanager
def served(side: Side) -> Iterator[httpx.Client]:
    command = [side.checkout / ".venv/bin/python", "-m", "service", "serve", "--port", "0", "--data", side.folder]
    with subprocess.Popen(
        list(map(str, command)), cwd=side.checkout, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix(READY).strip()
        try:
            with httpx.Client(base_url=url, timeout=600) as http:
                yield http
        finally:
            process.terminate()


def post(http: httpx.Client, path: str, body: object, **headers: str) -> dict[str, object]:
    answer: dict[str, object] = http.post(path, json=body, headers=headers).raise_for_status().json()
    return answer


def train(http: httpx.Client, epochs: int) -> str:
    """Train a new model, and return it."""
    dataset = post(http, "/api/datasets", DATA)["id"]
    model = post(http, "/api/models", {"architecture": "Dense(1 => 1)"})["id"]
    job = post(http, "/api/jobs", {"model": model, "dataset": dataset, "epochs": epochs, "optimiser": OPTIMISER})
    while job["ended_at"] is None:
        job = http.get(f"/api/jobs/{job['id']}", headers={"Prefer": "wait=60"}).raise_for_status().json()
    assert job["state"] == "succeeded", job
    post(http, f"/api/models/{model}/evaluations", {"dataset": dataset, "part": "train"})
    return str(model)


def size(side: Side) -> int:
    return copies.size(side.folder / "descent.db")


def growth(side: Side) -> tuple[float, float]:
    """Bytes a report, and microseconds a report from POST to the end of the job."""
    with served(side) as http:
        train(http, 10)
        before, began = size(side), time.perf_counter()
        train(http, REPORTS)
        seconds = time.perf_counter() - began
        return (size(side) - before) / REPORTS, seconds / REPORTS * 1e6


def metrics(sides: list[Side], rounds: int) -> dict[str, tuple[float, int]]:
    """The median milliseconds and the bytes of the metrics of a model with many versions."""
    models = {}
    for side in sides:
        with served(side) as http:
            models[side.name] = train(http, 201)
        copies.multiply(side.folder / "descent.db", models[side.name], VERSIONS)
    taken: dict[str, list[float]] = {side.name: [] for side in sides}
    bytes_of = {}
    with served(sides[0]) as first, served(sides[1]) as second:
        for _ in range(rounds + 1):  # the first warms up
            for side, http in zip(sides, (first, second), strict=True):
                began = time.perf_counter()
                answer = http.get(f"/api/models/{models[side.name]}/metrics").raise_for_status()
                taken[side.name].append((time.perf_counter() - began) * 1e3)
                bytes_of[side.name] = len(answer.content)
    return {name: (statistics.median(times[1:]), bytes_of[name]) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bookkeeping", description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, metavar="CHECKOUT", help="with a .venv of its own")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkouts = {"before": arguments.before.resolve(), "now": ROOT}
        sides = [Side(name, checkout, Path(folder) / name) for name, checkout in checkouts.items()]
        for side in sides:
            a_report, microseconds = growth(side)
            print(f"{side.name}: {a_report:.1f} bytes and {microseconds:.2f} µs a report of {REPORTS:,}", flush=True)
        found = metrics(sides, arguments.rounds)
    for name, (milliseconds, count) in found.items():
        print(f"{name}: metrics of {VERSIONS:,} versions in {milliseconds:.1f} ms, {count:,} bytes")
    ratio = found["before"][0] / found["now"][0]
    print(json.dumps({"metrics": {"ratio": round(ratio, 1), "aim": 10}}))
    sys.exit(0 if ratio >= 10 else 1)


if __name__ == "__main__":
    main()
