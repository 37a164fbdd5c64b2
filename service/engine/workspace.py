"""What a worker process has: the database, the datasets, and good manners."""

import os
from dataclasses import dataclass
from pathlib import Path

from distributed import Worker, WorkerPlugin, get_worker
from threadpoolctl import threadpool_limits

from service.database.engine import Database
from service.datasets.storage import Storage

NICENESS = 10
"""Requests go before training where both want a processor."""


@dataclass(frozen=True)
class Workspace:
    database: Database
    """Commits reach the disk: claims and ends."""
    beats: Database
    """The same database, where the last moments may be lost in a power failure: they can be computed again."""
    storage: Storage


class WorkspacePlugin(WorkerPlugin):
    """Gives each worker its `Workspace`; nothing of it is made at import."""

    name = "descent"

    def __init__(self, database_url: str, storage_folder: Path) -> None:
        self.database_url = database_url
        self.storage_folder = storage_folder

    def setup(self, worker: Worker) -> None:
        os.nice(NICENESS - os.nice(0))
        # One thread for BLAS: workers share the machine, and the number of threads decides the last bits of a sum.
        threadpool_limits(1, user_api="blas")
        self.workspace = Workspace(
            Database(self.database_url), Database(self.database_url, synchronous="NORMAL"), Storage(self.storage_folder)
        )

    def teardown(self, worker: Worker) -> None:
        self.workspace.database.close()
        self.workspace.beats.close()


def workspace_of_worker() -> Workspace:
    """The workspace of the worker that runs this task."""
    plugin = get_worker().plugins[WorkspacePlugin.name]
    assert isinstance(plugin, WorkspacePlugin)
    return plugin.workspace
