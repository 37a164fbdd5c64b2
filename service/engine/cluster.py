"""The cluster that runs jobs: Dask workers embedded in this service, or a cluster elsewhere."""

import logging
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import dask
from distributed import Client, Future, LocalCluster
from distributed.scheduler import DEFAULT_EXTENSIONS, KilledWorker
from distributed.spans import SpansSchedulerExtension
from distributed.utils import get_mp_context

from service.engine.fork_server import start_fork_server
from service.engine.nannies import Exits, TellingNanny
from service.engine.tickets import run_ticket
from service.engine.tls.own import own_security
from service.engine.workspace import Place
from service.jobs.states import LEASE
from service.settings import Settings
from service.startup.machine import worker_count, worker_memory
from service.telemetry.traces import tracing

CONNECT = 2.0
"""Seconds to wait for a scheduler elsewhere before trying again."""
CONNECT_WITHIN = 30.0
"""Seconds to wait for the scheduler of this process, which is there, and slow where the machine is busy."""

# An idle cluster looks at itself and at its workers all the time, and remembers much; these make it do less of both.
QUIET = {
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "10s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.log-length": 10,
    "distributed.diagnostics.computations.max-history": 1,
    "distributed.admin.low-level-log-length": 10,  # entries hold whole tasks, of some kilobytes
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.work-stealing-interval": "1s",
}
SAFE = {
    # by default a death's timer that fires during a later restart drops the worker for good
    "distributed.deploy.lost-worker-timeout": "1000d",
    # no tiny job is parked behind a long one
    "distributed.scheduler.worker-saturation": 1.0,
    # a task whose worker dies comes back as an error: the dispatcher, which learns how it died, calls the job back
    "distributed.scheduler.allowed-failures": 0,
}
CLOSED: dict[str, list[str]] = {
    # pages over HTTP about all jobs, for whoever is on this machine
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
METHOD = "distributed.worker.multiprocessing-method"


class NoSpans(SpansSchedulerExtension):
    """Spans that are never made: for each time that work comes, Dask makes one, and keeps it as long as it lives."""

    def observe_tasks(self, *_tasks: Any, **_about: Any) -> dict[Any, Any]:
        return {}

    def heartbeat(self, ws: Any, data: Any) -> None:
        """Drop what a worker has measured of them."""


EXTENSIONS = {**DEFAULT_EXTENSIONS, "spans": NoSpans}


class Cluster:
    """A client of the scheduler, and the workers too where they are embedded.

    Raises:
        OSError: no scheduler answers.
    """

    def __init__(self, settings: Settings) -> None:
        places = settings.database_url, settings.storage_address, settings.cache
        self._place = Place(*places, worker_memory(settings), tracing.are_sent())
        self._exits = Exits()
        _log_from(logging.ERROR)
        self._local = None if settings.scheduler else _embedded(settings, self._exits)
        patience = CONNECT if self._local is None else CONNECT_WITHIN
        try:
            self._client = Client(self._local or settings.scheduler, timeout=patience, set_as_default=False)
        except BaseException:  # workers that stay behind are at nobody's service
            self._kill_workers()
            self._close_local()
            raise

    @property
    def lost(self) -> bool:
        """Whether the scheduler is gone for good, as far as this client knows."""
        return bool(self._client.status == "closed")

    @property
    def slots(self) -> int | None:
        """Workers that there should be; None where a cluster elsewhere decides that."""
        return None if self._local is None else len(self._local.worker_spec)

    def worker_count(self) -> int:
        """Workers that could take a job now; 0 while the scheduler is away."""
        if self._client.status != "running":
            return 0
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def submit(self, ticket: str, *, number: int, workers: int) -> "Future[None]":
        """Ask one of `workers` workers to take a job; the same ticket is never sent twice."""
        return self._client.submit(run_ticket, ticket, number, workers, self._place, key=ticket, pure=False)

    def restart_worker_of(self, ticket: str) -> None:
        """Kill the worker that has this ticket: it no longer beats, and would hold its place for ever."""
        with suppress(Exception):  # it may be gone by itself
            workers = self._workers_of(ticket)
            if self._local is not None:
                _kill_workers(nanny for nanny in self._local.workers.values() if nanny.worker_address in workers)
            elif workers:
                self._client.restart_workers(workers, timeout=CONNECT, raise_for_error=False)

    def is_silent(self, message: str) -> bool:
        """Whether the worker that has this message no longer answers the scheduler either: it hangs, or was stopped."""
        with suppress(Exception):
            known = self._client.scheduler_info(n_workers=-1)["workers"]
            return any(time.time() - known[worker]["last_seen"] > LEASE for worker in self._workers_of(message))
        return False

    def _workers_of(self, message: str) -> list[str]:
        return [worker for worker, keys in self._client.processing().items() if message in keys]

    def lost_worker_of(self, future: "Future[None]") -> str | None:
        """Return the address of the worker that died with this ticket; None where the ticket failed otherwise."""
        with suppress(Exception):  # the client may be closing
            error = future.exception(timeout=CONNECT)
            return error.last_worker.address if isinstance(error, KilledWorker) else None
        return None

    def end_of_worker(self, address: str) -> str | None:
        """Return in words how a dead worker ended; None where only a nanny elsewhere knows."""
        return None if self._local is None else self._exits.take(address)

    def expect_stop(self) -> None:
        """Let workers end without a log line and without new workers."""
        _log_from(logging.CRITICAL)
        if self._local is not None:
            for nanny in self._local.workers.values():
                nanny.close_gracefully()

    def close(self) -> None:
        """Stop at once: uncommitted work is repeated later from the checkpoints."""
        self._kill_workers()
        with suppress(Exception):
            self._client.close(timeout=1)
        self._close_local()

    def _kill_workers(self) -> None:
        self.expect_stop()  # a nanny would start a new worker at once, and closing would wait 10 s for that one
        if self._local is not None:
            with suppress(Exception):
                _kill_workers(self._local.workers.values())

    def _close_local(self) -> None:
        if self._local is not None:
            with suppress(Exception):
                self._local.close(timeout=1)


def _log_from(level: int) -> None:
    """Leave out Dask's lines below a level: they are about its internals."""
    for name in ("distributed", "distributed.client", "distributed.gc"):  # each has a level of its own
        logging.getLogger(name).setLevel(level)


def _is_news(record: logging.LogRecord) -> bool:
    """Return False for the scheduler's line about a dead worker: the dispatcher has a better one."""
    return "marked as failed because" not in str(record.msg)


def _embedded(settings: Settings, exits: Exits) -> LocalCluster:
    scratch = settings.data.absolute() / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    dask.config.set({**QUIET, **SAFE, **CLOSED, METHOD: "forkserver"})
    get_mp_context()  # names modules of Dask's for the fork server to load, the first time that it is asked
    if not start_fork_server():
        dask.config.set({METHOD: "spawn"})
    logging.getLogger("distributed.scheduler").addFilter(_is_news)
    return LocalCluster(
        n_workers=worker_count(settings),
        threads_per_worker=1,
        processes=True,
        memory_limit=None,  # pages of a memory map would count, though the system can take them back
        host="127.0.0.1",
        security=own_security(),
        dashboard_address="127.0.0.1:0",
        local_directory=str(scratch),
        silence_logs=logging.ERROR,
        scheduler_kwargs={"extensions": EXTENSIONS},
        worker_class=TellingNanny,
        exits=exits,
    )


def _kill_workers(nannies: Iterable[TellingNanny]) -> None:
    for nanny in nannies:
        if nanny.process is not None and nanny.process.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.process.pid, signal.SIGKILL)
