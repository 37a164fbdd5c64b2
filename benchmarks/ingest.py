"""A CSV becomes a dataset: the upload to a service of its own, beside pyarrow's reading of the same file.

.venv/bin/python -m benchmarks.ingest [--megabytes 2000] [--rounds 3]
"""

import argparse
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow
from numpy.typing import NDArray
from pyarrow import csv

from benchmarks.machine import processor
from benchmarks.results import RESULTS
from benchmarks.timing import seconds_of
from service.datasets.formats.media_types import MediaType
from service.datasets.formats.read import read_table
from service.datasets.table import ReadOptions
from tests.support.serving import RunningService, running_service, wait_for

UPLOAD = "upload to the service"
MEGABYTE = 1_000_000
PIECE = 1 << 20
ROWS = 500_000
"""Random rows; the file repeats them."""
QUERY = "targets=y&validation_fraction=0.1&test_fraction=0.1"
AIM = 0.5
"""Share of pyarrow's own reading speed."""
LONGEST = 600.0
"""Seconds that an upload may take."""
MOST_MEMORY = 500
"""Megabytes that the service may take at its peak."""


def write_csv(path: Path, size: int) -> None:
    """Eight measurements, a count, a category and a boolean a row, and a target; about a hundred bytes in all."""
    random = np.random.default_rng(0)
    columns: dict[str, NDArray[Any]] = {f"x{index}": np.round(random.standard_normal(ROWS), 6) for index in range(8)}
    columns["count"] = random.integers(0, 1000, ROWS)
    columns["species"] = np.array(["setosa", "versicolor", "virginica"])[random.integers(0, 3, ROWS)]
    columns["alive"] = random.integers(0, 2, ROWS).astype(bool)
    columns["y"] = np.round(random.standard_normal(ROWS), 6)
    table = pyarrow.table(columns)
    with path.open("wb") as file:
        csv.write_csv(table, file)
        while file.tell() < size:
            csv.write_csv(table, file, csv.WriteOptions(include_header=False))


def read_with_pyarrow(path: Path) -> None:
    for _ in csv.open_csv(path):
        pass


def read_with_ours(path: Path) -> None:
    options = ReadOptions(limit=path.stat().st_size)
    with path.open("rb", buffering=0) as file:
        for _ in read_table(MediaType.CSV, file, options, path.parent).chunks:
            pass


def upload(http: httpx.Client, path: Path) -> str:
    """Upload the file; return the id of the new dataset."""

    def pieces() -> Iterator[bytes]:
        with path.open("rb", buffering=0) as file:
            yield from iter(lambda: file.read(PIECE), b"")

    headers = {"Content-Type": MediaType.CSV, "Content-Length": str(path.stat().st_size)}
    answer = http.post(f"/api/datasets?{QUERY}", content=pieces(), headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@contextmanager
def peak_memory(process: psutil.Process) -> Iterator[Callable[[], float]]:
    """The most that a process had resident meanwhile, in megabytes, its children apart; looked at every 10 ms."""
    seen = [process.memory_info().rss]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            seen[0] = max(seen[0], process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: seen[0] / MEGABYTE
    finally:
        over.set()
        thread.join()


def measure(service: RunningService, path: Path, rounds: int) -> tuple[dict[str, list[float]], float]:
    """Seconds of each side, round after round, and the peak of the service's memory in megabytes."""
    with httpx.Client(base_url=service.url, timeout=LONGEST) as http:
        wait_for(lambda: http.get("/health/ready").is_success)
        sides: dict[str, Callable[[], object]] = {
            UPLOAD: lambda: upload(http, path),
            "our reader alone": lambda: read_with_ours(path),
            "pyarrow open_csv": lambda: read_with_pyarrow(path),
        }
        if psutil.virtual_memory().available > 3 * path.stat().st_size:
            sides["pyarrow read_csv"] = lambda: csv.read_csv(path)
        seconds: dict[str, list[float]] = {side: [] for side in sides}
        with peak_memory(psutil.Process(service.process.pid)) as peak:
            for _ in range(rounds):
                for side, work in sides.items():
                    seconds[side].append(seconds_of(work, 1))
                for dataset in http.get("/api/datasets").json()["items"]:
                    http.delete(f"/api/datasets/{dataset['id']}").raise_for_status()
            return seconds, peak()


def report(seconds: Mapping[str, Sequence[float]], peak: float, size: float) -> Iterator[str]:
    """A table of the speed of each side, and of the upload's speed as a multiple of it, round by round."""
    yield "| side | seconds | MB/s | upload's speed, as a share of it |"
    yield "| --- | --- | --- | --- |"
    for side, taken in seconds.items():
        shares = [other / ours for other, ours in zip(taken, seconds[UPLOAD], strict=True)]
        yield f"| {side} | {median(taken):.2f} | {size / median(taken):.0f} | {median(shares):.2f} |"
    yield ""
    yield f"Peak resident memory of the service, its workers apart: {peak:.0f} MB (aim: under {MOST_MEMORY})."
    yield f"Aim: the upload is at least {AIM} times as fast as pyarrow reads."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=2000, help="size of the CSV (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each side (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_csv(path, arguments.megabytes * MEGABYTE)
        with running_service(Path(folder) / "data", DESCENT_MAX_UPLOAD=str(1 << 40)) as service:
            seconds, peak = measure(service, path, arguments.rounds)
        size = path.stat().st_size / MEGABYTE
    lines = [f"# Ingest: a CSV of {size:,.0f} MB over HTTP", "", *report(seconds, peak, size), ""]
    lines += [
        f"* processor: {processor()}, {os.cpu_count()} cores",
        f"* pyarrow {pyarrow.__version__}, NumPy {np.__version__}",
    ]
    lines += [f"* measured: {datetime.now(UTC):%Y-%m-%d}, medians of {arguments.rounds} rounds", ""]
    print("\n".join(lines))
    (RESULTS / "ingest.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
