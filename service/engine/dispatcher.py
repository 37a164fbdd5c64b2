"""The loop that keeps the engine supplied with tickets. The table is the queue; losing a ticket does no harm."""

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from distributed import Future

from service.database.database import Database
from service.engine.cluster import Cluster
from service.engine.watchdog import Watchdog
from service.jobs import queue
from service.jobs.queue import yielding
from service.jobs.states import FULL_FOR
from service.sweeps.conduct import conduct
from service.telemetry.logs import warn

log = logging.getLogger(__name__)

SWEEP = 1.0
"""Seconds between looks at the table when nothing nudges: other replicas may have written to it."""

TICKETS_PER_WORKER = 2
"""Tickets of a worker: one that runs and one that waits, so that it is not idle while the next one travels."""

MOST_DEAD = 100
"""Dead workers that are remembered."""
LONGEST_PAUSE = 30.0
"""Seconds for which no ticket is sent where they keep failing before a worker can claim a job."""


@dataclass(frozen=True)
class Death:
    """The death of a worker that had a ticket."""

    ticket: str
    worker: str
    """The worker's address."""


class Dispatcher:
    """A sender of tickets, one for each queued job and at most two a worker, which calls jobs of lost workers back.

    A ticket names no job: its worker takes the best one that waits by then.
    """

    is_stuck = False
    """Whether the cluster hands messages to no worker any more, and is to be replaced."""

    def __init__(
        self, database: Database, cluster: Cluster, when_done: Callable[[], None], watchdog: Watchdog | None = None
    ) -> None:
        self._database = database
        self._cluster = cluster
        self._when_done = when_done
        self._watchdog = watchdog or Watchdog()
        self._under_way: dict[str, Future[None]] = {}
        self._pause, self._paused_until = 0.0, 0.0
        """The length and the end of the pause after a ticket that failed."""
        self._sent = 0
        self._deaths: deque[Death] = deque()
        """Deaths of workers that had a ticket, not yet written down."""
        self._died_at_work: deque[str] = deque(maxlen=MOST_DEAD)
        """Addresses of the workers that died last with a job."""
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
                conduct(self._database)
                self._supply(stopping)
                self._make_room()
            except Exception as error:  # noqa: BLE001 - the database or the scheduler is busy, or away; the next sweep is near
                warn(log, "the engine could not be supplied, trying again: %s", error)
            self._wake.wait(SWEEP)
            self._wake.clear()

    def tickets(self) -> list[str]:
        """Return the tickets under way."""
        with self._lock:
            return list(self._under_way)

    def _sweep(self) -> None:
        self._swept = time.monotonic()
        self.workers = self._cluster.worker_count()
        with self._database.reading() as session:
            if not queue.any_lost(session) or self._is_full():
                return
        with self._database.transaction() as session:
            called_back = queue.requeue_lost(session)
        for job, ticket in called_back.items():
            log.warning("job %s lost its worker", job)
            if ticket is not None and self._forget(ticket) is not None:
                self._cluster.restart_worker_of(ticket)

    def _call_back(self) -> None:
        """Call back the jobs whose workers have died."""
        while self._deaths:
            death = self._deaths[0]
            end = self._cluster.end_of_worker(death.worker)
            with self._database.transaction() as session:
                jobs = queue.lose(session, death.ticket, end)
                claimed = bool(jobs) or queue.has_ended(session, death.ticket)
            for job in jobs:
                log.warning("job %s lost its worker: %s", job, end or "how it ended is not known here")
            self._learn_from(death, claimed=claimed)
            self._deaths.popleft()
            self._when_done()

    def _watch(self) -> None:
        """Kill workers that hang, one of which may hold the very lock for which all others wait; and find out whether
        an embedded cluster still hands messages to its workers, and has all of these.
        """
        with self._lock:
            out = list(self._under_way)
        with self._database.reading() as session:
            waiting, claimed, overdue = queue.seen_of(session, out)
        for message in filter(self._cluster.is_silent, overdue):
            log.warning("a worker does not answer, and is killed")
            self._cluster.restart_worker_of(message)
        slots = self._cluster.slots
        if slots is not None and self._watchdog.is_stuck(out, claimed, self.workers, slots, waiting=waiting):
            with self._database.transaction() as session:
                session.connection()  # where nothing can be written, it is no fault of the cluster
            self.is_stuck = True

    def _is_full(self) -> bool:
        """Whether workers may live that cannot beat."""
        reserve = self._database.reserve
        return reserve is not None and time.time() - reserve.marked() < FULL_FOR

    def _supply(self, stopping: threading.Event) -> None:
        if time.monotonic() < self._paused_until:
            return
        out = set(self.tickets())
        free = TICKETS_PER_WORKER * self.workers - len(out)
        if free <= 0:
            return
        waiting = queue.count_waiting(self._database, TICKETS_PER_WORKER * self.workers)
        if not waiting:
            return
        used = set(queue.claimed_by(self._database, out).values()) if out else out
        for _ in range(min(free, waiting - len(out - used))):
            if not stopping.is_set():
                self._send()

    def _make_room(self) -> None:
        """Let a long job give way to a short one, where these keep all workers busy."""
        out = self.tickets()
        if len(out) < self.workers or not self.workers:
            return
        job = yielding.to_make_room(self._database, out, self.workers)
        if job is not None:
            with self._database.transaction() as session:
                yielding.ask(session, job)

    def _send(self) -> None:
        ticket = uuid.uuid4().hex
        self._sent += 1
        future = self._cluster.submit(ticket, number=self._sent, workers=self.workers)
        with self._lock:
            self._under_way[ticket] = future
        future.add_done_callback(lambda _: self._done(ticket))

    def _done(self, ticket: str) -> None:
        future = self._forget(ticket)
        if future is None:
            return
        if future.status == "finished":
            self._pause = 0.0
        elif (worker := self._cluster.lost_worker_of(future)) is not None:
            self._deaths.append(Death(ticket, worker))
        else:  # a job that was claimed counts as running, and is called back when its lease is over
            self._hold_back()
            if future.status != "cancelled":  # as all are when the client closes
                log.error("a ticket came to nothing (%s)", future.status)
        self._wake.set()
        self._when_done()

    def _learn_from(self, death: Death, *, claimed: bool) -> None:
        """Hold tickets back where workers die before they claim a job; one that died at its job takes the ticket that
        waited behind it along, which tells nothing.
        """
        if claimed:
            self._died_at_work.append(death.worker)
            self._pause = self._paused_until = 0.0
        elif death.worker not in self._died_at_work:
            self._hold_back()

    def _hold_back(self) -> None:
        self._pause = min(max(2 * self._pause, SWEEP), LONGEST_PAUSE)
        self._paused_until = time.monotonic() + self._pause

    def _forget(self, ticket: str) -> "Future[None] | None":
        with self._lock:
            return self._under_way.pop(ticket, None)
