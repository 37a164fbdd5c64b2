"""The long run of tiny jobs: the memory of all processes stays, and the last jobs take no longer than the first."""

import argparse
import sqlite3
import sys
import tempfile
import time
from contextlib import closing, suppress
from itertools import pairwise
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
"""The last thousand jobs may take so many times the first."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak ARGS=...", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="tiny jobs; 100000 unless given")
    batches = max(2, parser.parse_args().jobs // BATCH)
    with tempfile.TemporaryDirectory(prefix="descent-soak-") as folder:
        seconds, memory = soak(Path(folder) / "data", batches)
    growth, times = memory[-1] - memory[0], seconds[-1] / seconds[0]
    sys.stdout.write(f"memory grew by {growth / 1e6:.1f} MB; the last thousand took {times:.2f} times the first\n")
    return 0 if growth < MOST_GROWTH and times <= MOST_TIMES else 1


def soak(data: Path, batches: int) -> tuple[list[float], list[int]]:
    """Return the seconds of each batch of jobs, and the memory after it; a first one warms up, and is not counted."""
    service = RunningService(data)
    try:
        clients = Clients(lambda: service.url, seed=0)
        clients.queue_tiny(data, BATCH)
        _wait_for_ends(data)
        moments, memory = [time.monotonic()], []
        for batch in range(2, batches + 1):
            clients.queue_tiny(data, BATCH)
            _wait_for_ends(data)
            moments.append(time.monotonic())
            memory.append(resident(service))
            sys.stdout.write(f"{batch * BATCH:,} jobs: {moments[-1] - moments[-2]:.1f} s, {memory[-1] / 1e6:.1f} MB\n")
            sys.stdout.flush()
        return [after - before for before, after in pairwise(moments)], memory
    finally:
        service.stop()


def _wait_for_ends(data: Path) -> None:
    with closing(sqlite3.connect(data / "descent.db")) as connection:
        wait_for(lambda: connection.execute(UNDER_WAY).fetchone() is None, LONGEST_END)


def resident(service: RunningService) -> int:
    """Bytes that service, workers and the process that forks them have for themselves."""
    total = 0
    main_process = psutil.Process(service.process.pid)
    for process in (main_process, *main_process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().uss
    return total


if __name__ == "__main__":
    sys.exit(main())
