"""The loop that keeps the engine supplied from the table. The table is the queue; losing a message does no harm."""

import logging
import threading
import time
import uuid
from collections.abc import Callable

from distributed import Future
from sqlalchemy.exc import SQLAlchemyError

from service.database.engine import Database
from service.engine.cluster import Cluster
from service.jobs import queue

log = logging.getLogger(__name__)

SWEEP = 1.0
"""Seconds between looks at the table when nothing nudges: other replicas may have written to it."""

MESSAGES_PER_WORKER = 2
"""One that runs and one that waits, so that no worker idles while the next message travels."""


class Dispatcher:
    """Sends messages for queued jobs, at most two a worker, and calls jobs of lost workers back."""

    def __init__(self, database: Database, cluster: Cluster, when_done: Callable[[], None]) -> None:
        self._database = database
        self._cluster = cluster
        self._when_done = when_done
        self._under_way: dict[str, tuple[str, Future[None]]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._workers = 1
        self._swept = 0.0
        self._thread = threading.Thread(target=self._run, name="descent-dispatch", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Look at the table at once; safe to call from any thread."""
        self._wake.set()

    def stop(self) -> None:
        """Send no more messages and give the running jobs of this service back to the queue."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)
        with self._lock:
            jobs = [job for job, _ in self._under_way.values()]
        with self._database.transaction() as session:
            queue.release(session, jobs)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(SWEEP)
            self._wake.clear()
            try:
                if time.monotonic() - self._swept >= SWEEP:
                    self._sweep()
                self._supply()
            except SQLAlchemyError as error:  # busy, or out of reach for a while; the next sweep is near
                log.warning("cannot read the queue: %s", error)
            except Exception:
                log.exception("the engine could not be supplied; trying again")

    def _sweep(self) -> None:
        self._swept = time.monotonic()
        self._workers = max(1, self._cluster.worker_count())
        with self._database.reading() as session:
            if not queue.any_lost(session):
                return
        with self._database.transaction() as session:
            for job in queue.requeue_lost(session):
                log.warning("job %s lost its worker", job)

    def _supply(self) -> None:
        with self._lock:
            busy = [job for job, _ in self._under_way.values()]
        free = MESSAGES_PER_WORKER * self._workers - len(busy)
        if free <= 0 or self._stopping:
            return
        with self._database.reading() as session:
            jobs = queue.waiting(session, free, without=busy)
        for job in jobs:
            self._send(job)

    def _send(self, job: str) -> None:
        message = uuid.uuid4().hex
        future = self._cluster.submit(job, message)
        with self._lock:
            self._under_way[message] = job, future
        future.add_done_callback(lambda _: self._done(message))

    def _done(self, message: str) -> None:
        with self._lock:
            job, future = self._under_way.pop(message)
        if future.status == "error":  # its job still counts as running, and is called back when the lease is over
            log.error("job %s broke off: %r", job, future.exception())
        self._wake.set()
        self._when_done()
