"""Deaths of processes, chosen from a seed, each at a moment that is counted in commits to the database."""

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.serving import RunningService, wait_for

VICTIMS = {"a worker": 12, "all workers": 5, "the template": 1, "the service": 1, "everything": 1}
"""Processes that die together, each with its share of the deaths."""
MOST_COMMITS = 8
"""Commits before a death at most: a job that is claimed makes some four a second."""
UNDER_WAY = "SELECT 1 FROM jobs WHERE state IN ('queued', 'running')"
LONGEST_SILENCE = 60.0
"""Seconds without a commit, while jobs are waiting, that no machine needs."""


@dataclass(frozen=True)
class Fault:
    """A death: which processes, and after how many commits."""

    victim: str
    commits: int


def faults(seed: int, count: int) -> Iterator[Fault]:
    chosen = random.Random(seed)  # noqa: S311 - faults, not secrets
    for _ in range(count):
        yield Fault(chosen.choices(list(VICTIMS), list(VICTIMS.values()))[0], chosen.randrange(MOST_COMMITS))


def wait_for_commits(folder: Path, count: int) -> bool:
    """Wait until others have changed the database so many times, or no job waits; False where nothing happens although
    one does.
    """
    with closing(sqlite3.connect(folder / "descent.db")) as connection:
        seen: set[int] = set()
        began = time.monotonic()

        def over() -> bool:
            nonlocal began
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version not in seen:
                seen.add(version)
                began = time.monotonic()
            enough = len(seen) > count or connection.execute(UNDER_WAY).fetchone() is None
            return enough or time.monotonic() - began > LONGEST_SILENCE

        wait_for(over)
        return time.monotonic() - began <= LONGEST_SILENCE


def kill(service: RunningService, victim: str, chosen: random.Random) -> list[psutil.Process]:
    """Kill the processes at once; return those that are to be gone soon, as they belonged to a service that died."""
    with suppress(psutil.NoSuchProcess):
        template = service.fork_server()
        workers = service.workers()
        own = psutil.Process(service.process.pid)
        doomed = {
            "a worker": [chosen.choice(workers)] if workers else [],
            "all workers": workers,
            "the template": [template] if template else [],
            "the service": [own],
            "everything": [*workers, own, *([template] if template else [])],
        }[victim]
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if own in doomed:
            service.process.wait()
            service._close()
            return [*workers, *([template] if template else [])]
    return []
