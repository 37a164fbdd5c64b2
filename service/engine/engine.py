"""What runs jobs: a cluster and the dispatcher that feeds it, started beside the service so that it answers at once."""

import logging
import threading
from collections.abc import Callable

from service.database.engine import Database
from service.engine.cluster import Cluster
from service.engine.dispatch import Dispatcher
from service.settings import Settings

log = logging.getLogger(__name__)

RETRY = 2.0


class Engine:
    """Starts in a thread; jobs that are posted meanwhile wait in the table, as always."""

    def __init__(self, settings: Settings, database: Database, when_done: Callable[[], None]) -> None:
        self._settings = settings
        self._database = database
        self._when_done = when_done
        self._cluster: Cluster | None = None
        self._dispatcher: Dispatcher | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._start, name="descent-engine", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        return self._dispatcher is not None

    def nudge(self) -> None:
        """There is a new queued job; safe to call from any thread."""
        if self._dispatcher is not None:
            self._dispatcher.nudge()

    def stop(self) -> None:
        """Running jobs go back to the queue, and workers are stopped at once."""
        self._stopping.set()
        self._thread.join()
        if self._dispatcher is not None:
            self._dispatcher.stop()
        if self._cluster is not None:
            self._cluster.close()

    def _start(self) -> None:
        while not self._stopping.is_set():
            try:
                self._cluster = Cluster(self._settings)
                self._dispatcher = Dispatcher(self._database, self._cluster, self._when_done)
            except OSError as error:  # no scheduler at that address yet, or no longer
                log.warning("the engine does not start, trying again: %s", error)
                self._stopping.wait(RETRY)
            else:
                return
