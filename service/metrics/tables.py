"""Metrics that all replicas share: jobs and their ends, the engine, the database and the storage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from service.errors import DescentError
from service.jobs.states import ENDED
from service.metrics import records
from service.metrics.records import Figures

if TYPE_CHECKING:
    from service.resources import Resources

TOTALS = {
    "created": ("descent_jobs_created", "Jobs that were ever sent."),
    "epochs": ("descent_epochs", "Epochs that trainings have passed."),
    "rows": ("descent_rows", "Rows that these epochs have read, each as often as it was read."),
    "workers_lost": ("descent_workers_lost", "Workers that ended while they had a job."),
}
"""Counters and their descriptions, by the names of totals."""


class Tables(Collector):
    """A collector that reads the tables whenever it is asked: nothing is counted in this process."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("descent_info", "The version of the service.", labels=["version"])
        info.add_metric([version("descent")], 1)
        yield info
        figures = self._figures()
        yield _gauge("descent_database_up", "Whether the database answers.", figures is not None)
        yield _gauge("descent_storage_writable", "Whether database and storage can grow.", self._has_room())
        yield _gauge("descent_engine_ready", "Whether there are workers that take jobs.", self._resources.engine.ready)
        yield _gauge("descent_workers", "Workers that take jobs.", self._resources.engine.workers)
        yield from self._sizes()
        if figures is not None:
            yield from _of_tables(figures)

    def _figures(self) -> Figures | None:
        """Return the figures; None where the database does not answer."""
        try:
            with self._resources.database.reading() as session:
                return records.figures(session)
        except (SQLAlchemyError, DescentError):
            return None

    def _has_room(self) -> bool:
        try:
            self._resources.room.check()
        except (SQLAlchemyError, DescentError, OSError):
            return False
        return True

    def _sizes(self) -> Iterator[Metric]:
        file, storage = self._resources.database.file, self._resources.storage.folder
        if file is not None:
            size = sum(map(_size, (file, file.with_name(f"{file.name}-wal"))))
            yield _gauge("descent_database_bytes", "Bytes of the database's file and its log.", size)
        free = GaugeMetricFamily("descent_disk_free_bytes", "Bytes that are free on a disk.", labels=["of"])
        for of, folder in (("database", file and file.parent), ("storage", storage)):
            if folder is not None and folder.exists():
                free.add_metric([of], shutil.disk_usage(folder).free)
        yield free


def _of_tables(figures: Figures) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("descent_jobs", "Jobs that are there, by their state.", labels=["state"])
    for state, count in figures.jobs.items():
        jobs.add_metric([state], count)
    yield jobs
    yield _gauge("descent_queue_age_seconds", "Seconds since the oldest queued job was sent.", figures.oldest_waiting)
    yield _gauge("descent_datasets", "Datasets.", figures.datasets)
    yield _gauge("descent_models", "Models.", figures.models)
    ended = CounterMetricFamily("descent_jobs_ended", "Jobs that ever ended, by how.", labels=["state"])
    for state in ENDED:
        ended.add_metric([state], figures.totals.get(state, 0))
    yield ended
    for name, (metric, description) in TOTALS.items():
        yield CounterMetricFamily(metric, description, figures.totals.get(name, 0))


def _gauge(name: str, description: str, value: float) -> Metric:
    return GaugeMetricFamily(name, description, float(value))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def registry_of(resources: Resources) -> CollectorRegistry:
    """Return a registry with the metrics of the tables alone."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Tables(resources))
    return registry
