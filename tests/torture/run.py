"""A run of the torture: jobs of all kinds, first undisturbed, then while processes die; and what came of them."""

import math
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.serving import RunningService, wait_for
from tests.torture.clients import Clients, Posted
from tests.torture.faults import Fault, faults, kill, wait_for_commits
from tests.torture.kinds import KINDS
from tests.torture.traces import Trace, leftovers, let_an_hour_pass, traces

ACTS = 2
"""Things that clients do between two deaths."""
KILLS_TOLD = 100
"""Kills after which a long run tells how far it is."""
DEATHS_OF_THE_SERVICE = ("the service", "everything")


@dataclass
class Outcome:
    """The figures of a run, and all that was not as promised."""

    kills: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    lost_workers: int = 0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        kinds = ", ".join(f"{victim} {count:,}" for victim, count in self.kills.items())
        return (
            f"{self.kills.total():,} kills ({kinds}), {self.jobs:,} jobs that lost {self.lost_workers:,} workers, "
            f"{self.seconds:,.0f} s, {len(self.violations)} violations"
        )


def command(seed: int, kills: int, tiny: int, share: float) -> str:
    """Return what repeats a run."""
    return f'make torture ARGS="--seed {seed} --kills {kills} --tiny {tiny} --share {share:g}"'


def torture(folder: Path, seed: int, kills: int, tiny: int, share: float, seconds: float = math.inf) -> Outcome:
    """Post and steer jobs while processes die, `tiny` ones queued behind them; let all end, and compare.

    No process is killed after so many seconds. Jobs train a `share` of the epochs of their kind.
    """
    return Run(folder, seed, share).run(kills, tiny, seconds)


class Run:
    """A service that dies again and again, and its clients."""

    def __init__(self, folder: Path, seed: int, share: float) -> None:
        self._folder = folder
        self._seed = seed
        self._share = share
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._outcome = Outcome()
        self._doomed: list[psutil.Process] = []
        """Processes of services that have died, which are to end by themselves."""

    def run(self, kills: int, tiny: int, seconds: float) -> Outcome:
        began = time.monotonic()
        self._service = RunningService(self._folder)
        try:
            clients = Clients(lambda: self._service.url, self._seed, self._share)
            undisturbed = {kind: clients.post(kind) for kind in KINDS}
            clients.finish()
            clients.queue_tiny(self._folder, tiny)
            for fault in faults(self._seed, kills):
                if time.monotonic() - began > seconds:
                    break
                self._suffer(fault, clients)
                if self._outcome.kills.total() % KILLS_TOLD == 0:
                    sys.stderr.write(f"{self._outcome.kills.total():,} kills, {len(clients.jobs):,} jobs\n")
            self._kill("everything")
            clients.finish()
            clients.verify_changed()
            clients.finish()
            wait_for(lambda: not any(process.is_running() for process in self._doomed))
        finally:
            self._service.stop()
        let_an_hour_pass(self._folder / "datasets")
        RunningService(self._folder).stop()  # a start removes what uploads have left that died with their service
        self._judge(clients, undisturbed)
        self._outcome.seconds = time.monotonic() - began
        return self._outcome

    def _suffer(self, fault: Fault, clients: Clients) -> None:
        """Let processes die while clients act."""
        acting = threading.Thread(target=self._act, args=(clients,))
        acting.start()
        if not wait_for_commits(self._folder, fault.commits):
            self._outcome.violations.append(f"nothing went on before kill {self._outcome.kills.total() + 1}")
        self._kill(fault.victim)
        acting.join()

    def _kill(self, victim: str) -> None:
        self._doomed += kill(self._service, victim, self._random)
        self._outcome.kills[victim] += 1
        if victim in DEATHS_OF_THE_SERVICE:
            self._service = RunningService(self._folder)

    def _act(self, clients: Clients) -> None:
        try:
            for _ in range(ACTS):
                clients.act()
        except AssertionError as error:
            self._outcome.violations.append(f"a client: {error}")

    def _judge(self, clients: Clients, undisturbed: dict[str, Posted]) -> None:
        found = traces(self._folder)
        self._outcome.jobs = len(clients.jobs)
        self._outcome.lost_workers = sum(each.losses_of_worker for each in found.values())
        self._outcome.violations += leftovers(self._folder, [job.id for job in clients.jobs], clients.datasets)
        for job in clients.jobs:
            if job.id in found:
                broken = _broken(job, found[job.id], found[undisturbed[job.kind].id])
                self._outcome.violations += [f"{job.kind} job {job.id}: {each}" for each in broken]


def _broken(job: Posted, found: Trace, reference: Trace) -> list[str]:
    """Return what is not as it should be about one job that has ended."""
    broken = [] if found.is_gapless else [f"its epochs are not 0 to {found.epochs_done}, each once"]
    workers = found.losses_of_worker + found.yields + found.releases + 1
    if not job.steered and found.attempt != workers:
        broken.append(f"{found.attempt} workers had it, of which {found.losses_of_worker} were lost")
    if found.state == "cancelled" and job.cancelled:
        return broken
    if found.state != "succeeded":
        return [*broken, f"it is {found.state}: {found.error}"]
    if job.verifies is not None:
        return broken if found.is_identical else [*broken, f"its parameters are not those of {job.verifies}"]
    differences = [] if job.changed else found.differences(reference)
    return broken + [f"its {part} differ from those of the undisturbed run" for part in differences]
