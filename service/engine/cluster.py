"""Where jobs run: Dask workers embedded in this service, or a cluster elsewhere."""

import logging
from contextlib import suppress
from typing import Any

import dask
from dask.system import CPU_COUNT
from distributed import Client, Future, LocalCluster
from distributed.system import MEMORY_LIMIT

from service.engine.run_job import run_job
from service.engine.workspace import WorkspacePlugin
from service.settings import Settings

log = logging.getLogger(__name__)

MEMORY_OF_WORKER = 256 << 20

# Idle, these keep an embedded cluster at a seventh of the processor time that it takes by default.
QUIET = {
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "10s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.work-stealing-interval": "1s",
}
SAFE = {
    # by default a death's timer that fires during a later restart drops the worker for good
    "distributed.deploy.lost-worker-timeout": "1000d",
    # no tiny job is parked behind a long one
    "distributed.scheduler.worker-saturation": 1.0,
}


class Cluster:
    """A client of the scheduler, and the workers too where they are embedded."""

    def __init__(self, settings: Settings) -> None:
        self._local = None if settings.scheduler else _embedded(settings)
        self._client = Client(self._local or settings.scheduler, set_as_default=False)
        self._client.register_plugin(WorkspacePlugin(settings.database_url, settings.storage_folder))

    def worker_count(self) -> int:
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def submit(self, job: str, message: str) -> "Future[None]":
        """Ask for a job to be run; the same message is never sent twice."""
        return self._client.submit(run_job, job, message, key=message, pure=False)

    def close(self) -> None:
        """Stop at once: what workers have not committed comes again from their checkpoints."""
        with suppress(Exception):
            if self._local is not None:
                _kill_workers(self._local)
            self._client.close(timeout=1)
        if self._local is not None:
            with suppress(Exception):
                self._local.close(timeout=1)


def _embedded(settings: Settings) -> LocalCluster:
    scratch = settings.data.absolute() / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    dask.config.set({**QUIET, **SAFE})
    return LocalCluster(
        n_workers=settings.workers or max(1, min(CPU_COUNT, MEMORY_LIMIT // MEMORY_OF_WORKER)),
        threads_per_worker=1,
        processes=True,
        memory_limit=None,  # pages of a memory map would count, though the system can take them back
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(scratch),
        silence_logs=logging.ERROR,
    )


def _kill_workers(cluster: LocalCluster) -> None:
    for nanny in cluster.workers.values():
        nanny.close_gracefully()  # it would start a new worker at once, and closing would wait 10 s for that one
        process: Any = nanny.process
        if process is not None and process.pid is not None:
            with suppress(ProcessLookupError):
                import os
                import signal

                os.kill(process.pid, signal.SIGKILL)
