"""The long run under retention: jobs come and go, and neither the disk nor the memory of the service grows.

.venv/bin/python -m tests.torture.retained --minutes 20

Periods are minutes in place of hours. Bytes on the disk and resident memory of the last quarter are compared with those
of the second.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx

from service.errors import NotFound
from tests.support.serving import WORKERS, WholeService
from tests.torture.clients import Clients, Posted
from tests.torture.kinds import KINDS
from tests.torture.soak import resident

Answer = TypeVar("Answer")

PERIODS = {
    "DESCENT_KEEP_JOBS": "2m",
    "DESCENT_KEEP_EPOCHS": "1m",
    "DESCENT_KEEP_CHECKPOINTS": "1m",
    "DESCENT_KEEP_ANSWERS": "1m",
    "DESCENT_KEEP_VERSIONS": "2m",
}
BATCH = 100
"""Tiny jobs that are queued each time, beside some of every other kind."""
PAUSE = 5.0
"""Seconds between two of these, and between two looks."""
MOST = 1.02
"""The last quarter may have so many times the bytes of the second."""


def main() -> int:
    """Run, and return 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=20, help="20 unless given")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="descent-retained-") as folder:
        looks = watched(Path(folder) / "data", minutes * 60)
    quarter = len(looks) // 4
    grew = False
    for name, values in zip(("bytes on the disk", "resident memory"), zip(*looks, strict=True), strict=True):
        second, last = (statistics.mean(values[at * quarter : (at + 1) * quarter]) for at in (1, 3))
        grew |= last > MOST * second
        figures = f"{second / 1e6:.1f} MB in the second quarter, {last / 1e6:.1f} MB in the last"
        sys.stdout.write(f"{name}: {figures} ({last / second - 1:+.1%})\n")
    return int(grew)


class PassingClients(Clients):
    """Clients who find that things go: a job that is gone has ended, and a model without version 0 is made anew."""

    def post(self, kind: str) -> Posted:
        return self._with_version_0(kind, lambda: Clients.post(self, kind))

    def queue_tiny(self, folder: Path, count: int) -> None:
        self._with_version_0("tiny", lambda: Clients.queue_tiny(self, folder, count))

    def act(self) -> None:
        super().act()
        while len(self.datasets) > 1:  # no period takes these
            self.send("DELETE", f"/api/datasets/{self.datasets.pop()}")

    def state(self, job: Posted) -> str:
        answer = self.send("GET", f"/api/jobs/{job.id}")
        return "succeeded" if answer.status_code == httpx.codes.NOT_FOUND else str(answer.json()["state"])

    def _with_version_0(self, kind: str, send: Callable[[], Answer]) -> Answer:
        first = self.send("GET", f"/api/models/{self._models[kind]}/parameters?version=0")
        if first.status_code == httpx.codes.NOT_FOUND:
            made = self.create("/api/models", {"architecture": KINDS[kind].architecture, "seed": 1})
            self._models[kind] = made["id"]
        try:
            return send()
        except (AssertionError, NotFound) as error:
            if "Version 0 of this model was deleted" not in str(error):
                raise
            return self._with_version_0(kind, send)  # it went since


def watched(data: Path, seconds: float) -> list[tuple[int, int]]:
    """Return bytes on the disk and resident memory, time after time."""
    service = WholeService(data, **PERIODS)
    looks = []
    try:
        clients = PassingClients(lambda: service.url, seed=0)
        for kind in [*KINDS] * 2 * WORKERS:  # so that each comes to each worker: what it is the first to need stays
            clients.post(kind)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            clients.queue_tiny(data, BATCH)
            clients.act()
            time.sleep(PAUSE)  # so that batches come at a steady rate, and end in between
            looks.append((_bytes_in(data), resident(service)))
            if len(looks) % 12 == 0:
                sys.stdout.write(f"{looks[-1][0] / 1e6:.1f} MB on the disk, {looks[-1][1] / 1e6:.1f} MB of memory\n")
                sys.stdout.flush()
    finally:
        service.stop()
    return looks


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_blocks * 512
        except FileNotFoundError:  # it went meanwhile
            continue
    return total


if __name__ == "__main__":
    sys.exit(main())
