"""The long run of tiny jobs: the memory of all processes stays, and the last jobs are no more work than the first.

Work is judged by the seconds of processor that service and workers take, since those of the clock grow with whatever
else the machine does.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.serving import RunningService, wait_for
from tests.torture.clients import LONGEST_END, Clients
from tests.torture.faults import UNDER_WAY

BATCH = 1000
"""Jobs that are queued at a time."""
MOST_GROWTH = 50e6
"""Bytes that all processes together may grow by, once the first thousand jobs are done."""
MOST_TIMES = 1.1
"""The last thousand jobs may take so many times the processor time of the first."""


@dataclass(frozen=True)
class Batch:
    """What a thousand jobs took: seconds of the clock, those of all processors, and the bytes of memory after them."""

    seconds: float
    processor: float
    memory: int


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100_000, help="tiny jobs; 100000 unless given")
    batches = max(2, parser.parse_args().jobs // BATCH)
    with tempfile.TemporaryDirectory(prefix="descent-soak-") as folder:
        taken = soak(Path(folder) / "data", batches)
    first, last = taken[0], taken[-1]
    growth, times = last.memory - first.memory, last.processor / first.processor
    sys.stdout.write(
        f"memory grew by {growth / 1e6:.1f} MB; the last thousand took {times:.2f} times the processor time of the "
        f"first, and {last.seconds / first.seconds:.2f} times as long\n"
    )
    return 0 if growth < MOST_GROWTH and times <= MOST_TIMES else 1


def soak(data: Path, batches: int) -> list[Batch]:
    """Return what each batch of jobs took; a first one warms up, and is not counted."""
    service = RunningService(data)
    try:
        clients = Clients(lambda: service.url, seed=0)
        clients.queue_tiny(data, BATCH)
        _wait_for_ends(data)
        taken: list[Batch] = []
        for number in range(2, batches + 1):
            began, used = time.monotonic(), processor(service)
            clients.queue_tiny(data, BATCH)
            _wait_for_ends(data)
            taken.append(Batch(time.monotonic() - began, processor(service) - used, resident(service)))
            sys.stdout.write(
                f"{number * BATCH:,} jobs: {taken[-1].seconds:.1f} s, {taken[-1].processor:.1f} s of processor, "
                f"{taken[-1].memory / 1e6:.1f} MB\n"
            )
            sys.stdout.flush()
        return taken
    finally:
        service.stop()


def _wait_for_ends(data: Path) -> None:
    with closing(sqlite3.connect(data / "descent.db")) as connection:
        wait_for(lambda: connection.execute(UNDER_WAY).fetchone() is None, LONGEST_END)


def resident(service: RunningService) -> int:
    """Bytes that service, workers and the process that forks them have for themselves."""
    total = 0
    for process in _processes(service):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().uss
    return total


def processor(service: RunningService) -> float:
    """Seconds of processor that service and workers took, with those of workers that have ended."""
    while True:
        processes = _processes(service)
        with suppress(psutil.NoSuchProcess):
            used = sum(sum(process.cpu_times()[:4]) for process in processes)  # own ones, and those of ended children
            if _processes(service) == processes:
                return used


def _processes(service: RunningService) -> list[psutil.Process]:
    main_process = psutil.Process(service.process.pid)
    return [main_process, *main_process.children(recursive=True)]


if __name__ == "__main__":
    sys.exit(main())
