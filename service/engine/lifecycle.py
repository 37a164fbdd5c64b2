"""The engine that runs jobs: a cluster and its dispatcher, started beside the service so that it answers at once."""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from service.database.database import Database
from service.jobs import queue
from service.settings import Settings
from service.startup import garbage

if TYPE_CHECKING:
    from service.engine.cluster import Cluster
    from service.engine.dispatcher import Dispatcher

log = logging.getLogger(__name__)

RETRY = 2.0
PATIENCE = 2.0
"""Seconds that a stop waits for the loop to notice."""


class Engine:
    """A thread that keeps a cluster and its dispatcher; jobs that are posted meanwhile wait in the table."""

    def __init__(self, settings: Settings, database: Database, when_done: Callable[[], None]) -> None:
        self._settings = settings
        self._database = database
        self._when_done = when_done
        self._cluster: Cluster | None = None
        self._dispatcher: Dispatcher | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="descent-engine", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether there are workers that take jobs."""
        return self.workers > 0

    @property
    def workers(self) -> int:
        """Workers that take jobs."""
        dispatcher = self._dispatcher
        return 0 if dispatcher is None else dispatcher.workers

    @property
    def is_loading(self) -> bool:
        """Whether a thread still loads after a stop, which does not wait for it: imports cannot be interrupted."""
        return self._stopping.is_set() and self._thread.is_alive()

    def nudge(self) -> None:
        """Tell the dispatcher of a new queued job; safe to call from any thread."""
        dispatcher = self._dispatcher
        if dispatcher is not None:
            dispatcher.nudge()

    def expect_stop(self) -> None:
        """Expect workers to end: a stop is near."""
        if self._cluster is not None:
            self._cluster.expect_stop()

    def stop(self) -> None:
        """Stop the workers at once; their jobs go back to the queue."""
        self._stopping.set()
        self.nudge()
        self._thread.join(timeout=PATIENCE)
        self._stop_workers()

    def _stop_workers(self) -> None:
        tickets = [] if self._dispatcher is None else self._dispatcher.tickets()
        if self._cluster is not None:
            self._cluster.close()
        # After the workers are gone, so that none of them can claim a job that was given back.
        with suppress(Exception):
            self._database.write_urgently(lambda session: queue.release(session, tickets))

    def _run(self) -> None:
        with garbage.kept():  # here: Dask takes a second to import, and requests need not wait
            from service.engine.cluster import Cluster
            from service.engine.dispatcher import Dispatcher
            from service.engine.watchdog import Watchdog

        watchdog = Watchdog()
        _keep_signals_from_workers()
        while not self._stopping.is_set():
            try:
                self._cluster = Cluster(self._settings)
            except Exception as error:  # noqa: BLE001 - no scheduler at that address, yet or any more; or no workers
                if not self._stopping.wait(RETRY):  # at a stop, a signal to all of the group may have ended the workers
                    log.warning("the engine did not start, trying again: %s", error.__cause__ or error)
                continue
            if self._stopping.is_set():  # while the cluster started, and perhaps after `stop` looked for it
                self._cluster.close()
                return
            self._dispatcher = Dispatcher(self._database, self._cluster, self._when_done, watchdog)
            self._dispatcher.run(self._stopping)
            if self._stopping.is_set():
                return
            if self._dispatcher.is_stuck:
                log.warning("workers are missing, or took none of the jobs that wait, for a while: all are replaced")
                watchdog.replaced()
                self._stop_workers()
            else:
                log.warning("the scheduler is lost; looking for it again")
                self._cluster.close()
            self._dispatcher = None


def _keep_signals_from_workers() -> None:
    """Block the signals that stop the service in this thread, the threads that it starts, and their processes.

    Ctrl-C and service managers signal every process. The service stops the workers itself, and does not count that as
    a loss.
    """
    resource_tracker.ensure_running()  # which lets the signals through again in the thread that starts it
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
