"""The loop that keeps the engine supplied from the table. The table is the queue; losing a message does no harm."""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from distributed import Future
from sqlalchemy.exc import SQLAlchemyError

from service.database.database import Database
from service.engine.cluster import Cluster
from service.engine.watchdog import Watchdog
from service.errors import DescentError
from service.jobs import queue
from service.jobs.states import FULL_FOR

log = logging.getLogger(__name__)

SWEEP = 1.0
"""Seconds between looks at the table when nothing nudges: other replicas may have written to it."""

MESSAGES_PER_WORKER = 2
"""Messages of a worker: one that runs and one that waits, so that it is not idle while the next one travels."""

LONGEST_PAUSE = 30.0
"""Seconds for which a job is held back whose messages keep failing before a worker can claim it."""


@dataclass(frozen=True)
class Sent:
    """A message under way."""

    job: str
    future: "Future[None]"


@dataclass(frozen=True)
class Death:
    """The death of a worker that had a message."""

    message: str
    job: str
    worker: str
    """The worker's address."""


class Dispatcher:
    """A sender of messages for queued jobs, at most two a worker, which calls jobs of lost workers back."""

    is_stuck = False
    """Whether the cluster hands messages to no worker any more, and is to be replaced."""

    def __init__(
        self, database: Database, cluster: Cluster, when_done: Callable[[], None], watchdog: Watchdog | None = None
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._when_done = when_done
        self._watchdog = watchdog or Watchdog()
        self._under_way: dict[str, Sent] = {}
        self._pauses: dict[str, tuple[float, float]] = {}
        """The length and the end of the pause of each job whose last message failed."""
        self._deaths: deque[Death] = deque()
        """Deaths of workers that had a message, not yet written down."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._swept = 0.0
        self.workers = 0

    def nudge(self) -> None:
        """Look at the table at once; safe to call from any thread."""
        self._wake.set()

    def run(self, stopping: threading.Event) -> None:
        """Supply the engine until `stopping` is set, the scheduler is lost, or the cluster is stuck."""
        while not (stopping.is_set() or self._cluster.lost or self.is_stuck):
            try:
                if time.monotonic() - self._swept >= SWEEP:
                    self._sweep()
                    self._watch()
                self._call_back()
                self._supply(stopping)
            except (SQLAlchemyError, DescentError) as error:  # the database is busy or full; the next sweep is near
                log.warning("the engine could not be supplied, trying again: %s", getattr(error, "orig", error))
            except Exception:  # the scheduler is busy, perhaps, or away
                log.warning("the engine could not be supplied, trying again", exc_info=True)
            self._wake.wait(SWEEP)
            self._wake.clear()

    def messages(self) -> list[str]:
        """Return the messages under way."""
        with self._lock:
            return list(self._under_way)

    def _sweep(self) -> None:
        self._swept = time.monotonic()
        self.workers = self._cluster.worker_count()
        with self._database.reading() as session:
            if not queue.any_lost(session) or self._is_full():
                return
        with self._database.transaction() as session:
            called_back = set(queue.requeue_lost(session))
        for message, sent in list(self._under_way.items()):
            if sent.job in called_back:
                log.warning("job %s lost its worker", sent.job)
                self._forget(message)
                self._cluster.restart_worker_of(message)

    def _call_back(self) -> None:
        """Call back the jobs whose workers have died; one that was not claimed yet is still queued, and waits."""
        while self._deaths:
            death = self._deaths[0]
            end = self._cluster.end_of_worker(death.worker)
            with self._database.transaction() as session:
                claimed = queue.lose(session, death.message, end)
            log.warning("job %s lost its worker: %s", death.job, end or "how it ended is not known here")
            if not claimed:
                self._hold_back(death.job)
            self._deaths.popleft()
            self._when_done()

    def _watch(self) -> None:
        """Kill workers that hang, one of which may hold the very lock for which all others wait; and find out whether
        an embedded cluster still hands messages to its workers.
        """
        with self._lock:
            out = list(self._under_way)
        with self._database.reading() as session:
            waiting, claimed, overdue = queue.seen_of(session, out)
        for message in filter(self._cluster.is_silent, overdue):
            log.warning("a worker does not answer, and is killed")
            self._cluster.restart_worker_of(message)
        if not waiting or self._cluster.slots is None:
            self._watchdog.rest()
        elif self._watchdog.is_stuck(out, claimed, self.workers, self._cluster.slots):
            with self._database.transaction() as session:
                session.connection()  # where nothing can be written, it is no fault of the cluster
            self.is_stuck = True

    def _is_full(self) -> bool:
        """Whether workers may live that cannot beat."""
        reserve = self._database.reserve
        return reserve is not None and time.time() - reserve.marked() < FULL_FOR

    def _supply(self, stopping: threading.Event) -> None:
        with self._lock:
            busy = [sent.job for sent in self._under_way.values()]
        free = MESSAGES_PER_WORKER * self.workers - len(busy)
        if free <= 0:
            return
        moment = time.monotonic()
        held_back = [job for job, (_, until) in self._pauses.items() if until > moment]
        with self._database.reading() as session:
            jobs = queue.waiting(session, free, without=[*busy, *held_back])
        for job in jobs:
            if not stopping.is_set():
                self._send(job)

    def _send(self, job: str) -> None:
        message = uuid.uuid4().hex
        future = self._cluster.submit(job, message)
        with self._lock:
            self._under_way[message] = Sent(job, future)
        future.add_done_callback(lambda _: self._done(message))

    def _done(self, message: str) -> None:
        sent = self._forget(message)
        if sent is None:
            return
        if sent.future.status == "finished":
            self._pauses.pop(sent.job, None)
            self._wake.set()
        elif (worker := self._cluster.lost_worker_of(sent.future)) is not None:
            self._deaths.append(Death(message, sent.job, worker))
            self._wake.set()
        else:  # a job that was claimed counts as running, and is called back when its lease is over
            self._hold_back(sent.job)
            if sent.future.status != "cancelled":  # as all are when the client closes
                log.error("the message for job %s came to nothing (%s)", sent.job, sent.future.status)
        self._when_done()

    def _hold_back(self, job: str) -> None:
        pause = min(2 * self._pauses.get(job, (SWEEP / 2, 0.0))[0], LONGEST_PAUSE)
        self._pauses[job] = pause, time.monotonic() + pause

    def _forget(self, message: str) -> Sent | None:
        with self._lock:
            return self._under_way.pop(message, None)
