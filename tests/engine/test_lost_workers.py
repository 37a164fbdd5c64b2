"""Jobs whose worker, or whose whole service, is killed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from service.client import Client
from service.jobs.schemas import Job, Outcome
from tests.support.serving import GRACE, RunningService, running_service, wait_for

pytestmark = pytest.mark.waits(45)

KEEP_EVERY = 10
# All that has to be carried over: moments, the order of rows, a place inside an epoch.
RECIPE: dict[str, Any] = {
    "optimiser": {"rule": "Adam", "eta": 0.01},
    "batch_size": 16,
    "shuffle": True,
    "seed": 3,
    "keep_every": KEEP_EVERY,
}
ROWS = 2000
SOME_EPOCHS = 200
"""Epochs that are over before the first checkpoint, but not before the worker is killed."""
ENDLESS = 10_000
"""Epochs that no machine gets through while a test lasts: what is seen of them does not depend on its speed."""
Past = tuple[dict[int, bytes], list[tuple[int, float, float | None]]]
"""Parameters by epoch, and the losses of every epoch up to the last of these."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_service(tmp_path_factory.mktemp("lost"), "--workers", "2") as running:
        yield running


def wave(client: Client) -> tuple[str, str]:
    """A model and a dataset that take a while to train."""
    xs = [row / ROWS for row in range(ROWS)]
    dataset = client.create_dataset(
        {"x": xs, "y": [x * (1 - x) for x in xs]}, ["y"], split={"validation": {"last": 50}}
    )
    return client.create_model("Chain(Dense(1 => 16, tanh), Dense(16 => 1))", seed=1).id, dataset.id


def finished(client: Client, job: Job) -> Job:
    ended = client.job(job.id, wait=60)
    assert ended.state == "succeeded", ended
    return ended


@contextmanager
def endless(client: Client, model: str, dataset: str) -> Iterator[Job]:
    job = client.train(model, dataset, epochs=ENDLESS, from_version=0, **RECIPE)
    try:
        yield job
    finally:
        client.cancel(job.id)
        assert client.job(job.id, wait=30).state == "cancelled"


def points(service: RunningService, job: Job) -> dict[int, bytes]:
    """The parameters that were kept on the way so far."""
    with closing(sqlite3.connect(service.folder / "descent.db")) as connection:
        return dict(connection.execute("SELECT epoch, parameters FROM points WHERE job_id = ?", (job.id,)))


def past(service: RunningService, client: Client, job: Job) -> Past:
    kept = points(service, job)
    reports = client.epochs(job.id)[: max(kept) + 1]
    return kept, [(each.epoch, each.train_loss, each.validation_loss) for each in reports]


def past_of_an_undisturbed_run(service: RunningService, client: Client, job: Job, epochs: int) -> Past:
    """The past of the same recipe, up to the same epoch."""
    again = client.train(job.model, job.dataset, epochs=epochs, from_version=0, **RECIPE)
    return past(service, client, finished(client, again))


def wait_for_new_points(service: RunningService, job: Job) -> None:
    """Return once the job has got further than it is now."""
    last = max(points(service, job), default=0)
    wait_for(lambda: max(points(service, job), default=0) > last)


def has_a_checkpoint(service: RunningService, job: Job) -> bool:
    with closing(sqlite3.connect(service.folder / "descent.db")) as connection:
        return connection.execute("SELECT 1 FROM checkpoints WHERE job_id = ?", (job.id,)).fetchone() is not None


def kill_workers(service: RunningService) -> None:
    for worker in service.workers():
        worker.kill()


def test_a_job_whose_worker_is_killed_ends_with_the_same_bytes(service: RunningService) -> None:
    with service.client() as client, endless(client, *wave(client)) as job:
        wait_for(lambda: has_a_checkpoint(service, job))
        kill_workers(service)
        wait_for_new_points(service, job)

        kept, losses = past(service, client, job)
        now = client.job(job.id)
        assert (now.losses_of_worker, now.attempt) == (1, 2)
        assert list(kept) == list(range(KEEP_EVERY, max(kept) + 1, KEEP_EVERY))
        assert (kept, losses) == past_of_an_undisturbed_run(service, client, job, max(kept))


@pytest.fixture(scope="module")
def killed_early(service: RunningService) -> Job:
    """A job whose worker was killed before its first checkpoint."""
    with service.client() as client:
        job = client.train(*wave(client), epochs=SOME_EPOCHS, **RECIPE)
        wait_for(lambda: client.job(job.id).state == "running")
        kill_workers(service)
        return finished(client, job)


def test_a_job_that_is_killed_before_its_first_checkpoint_begins_again(
    service: RunningService, killed_early: Job
) -> None:
    assert killed_early.losses_of_worker == 1
    with service.client() as client:
        assert [report.epoch for report in client.epochs(killed_early.id)] == list(range(SOME_EPOCHS + 1))


def test_a_verification_whose_worker_is_killed_compares_in_the_end(service: RunningService, killed_early: Job) -> None:
    with service.client() as client:
        answer = client.http.post(f"/api/jobs/{killed_early.id}/verify", headers={"Prefer": "wait=0"})
        again = Job.model_validate(answer.raise_for_status().json())
        wait_for(lambda: client.job(again.id).state == "running")
        kill_workers(service)

        ended = finished(client, again)
        assert (ended.losses_of_worker, ended.version) == (1, None)
        assert ended.verification == Outcome(identical=True, differs=[])
        assert points(service, ended) == {}


def test_jobs_survive_the_death_of_everything_at_once(folder: Path) -> None:
    with running_service(folder, "--workers", "1") as first, first.client() as client:
        model, dataset = wave(client)
        running = client.train(model, dataset, epochs=ENDLESS, from_version=0, **RECIPE)
        queued = [client.train(model, dataset, epochs=2, from_version=0) for _ in range(3)]
        wait_for(lambda: has_a_checkpoint(first, running))
        done = client.job(running.id).epochs_done
        first.kill()

    with running_service(folder, "--workers", "1") as second, second.client() as client:
        assert client.job(running.id).epochs_done >= done
        wait_for_new_points(second, running)
        kept, losses = past(second, client, running)
        client.cancel(running.id)
        assert all(finished(client, job).epochs_done == 2 for job in queued)
        assert (kept, losses) == past_of_an_undisturbed_run(second, client, running, max(kept))


def test_a_stop_takes_moments_and_counts_as_no_loss(folder: Path) -> None:
    with running_service(folder, "--workers", "1") as first, first.client() as client:
        model, dataset = wave(client)
        job = client.train(model, dataset, epochs=ENDLESS, **RECIPE)
        wait_for(lambda: points(first, job) != {})
        assert first.stop() < GRACE
        assert "Traceback" not in first.log

    with running_service(folder, "--workers", "1") as second, second.client() as client:
        wait_for_new_points(second, job)
        now = client.job(job.id)
        assert (now.state, now.losses_of_worker) == ("running", 0)
