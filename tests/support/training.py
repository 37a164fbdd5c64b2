"""Jobs for tests: on the tutorial's line, some that end at once and some that would go on for days."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from service.client import Client
from service.datasets.schemas import Dataset
from service.jobs.schemas import Job
from service.models.schemas import Model
from tests.support.serving import RunningService, wait_for

XS = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
YS = [2.0, 6.0, 10.0, 14.0, 18.0, 22.0]
LINE: dict[str, Any] = {"columns": {"x": XS, "y": YS}, "targets": ["y"]}
ENDED = ("succeeded", "failed", "cancelled")


def line(client: Client, **options: Any) -> Dataset:
    """The points of y = 4x + 2 at 0 to 5."""
    return client.create_dataset(LINE["columns"], LINE["targets"], **options)


def straight(client: Client, **options: Any) -> Model:
    return client.create_model("Dense(1 => 1)", **options)


@contextmanager
def endless_job(client: Client, model: str, dataset: str, *, running: bool = True, priority: int = 0) -> Iterator[Job]:
    """A job with ten million epochs of small steps; running already where that is asked for, gone afterwards."""
    recipe: dict[str, Any] = {"epochs": 10_000_000, "batch_size": 1, "optimiser": {"rule": "Descent", "eta": 1e-9}}
    job = client.train(model, dataset, priority=priority, **recipe)
    try:
        if running:
            wait_for(lambda: client.job(job.id).epochs_done > 0)
        yield job
    finally:
        if client.job(job.id).state not in ENDED:
            client.cancel(job.id)
            assert client.job(job.id, wait=30).state == "cancelled"


@contextmanager
def all_workers_busy(client: Client, service: RunningService) -> Iterator[None]:
    """An endless job on every worker, so that further jobs, which are of lower priority, stay queued."""
    model, dataset = straight(client).id, line(client).id
    with ExitStack() as busy:
        for _ in service.workers():
            busy.enter_context(endless_job(client, model, dataset, priority=100))
        yield
