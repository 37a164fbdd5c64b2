"""What happens to jobs whose worker, or whose whole service, is killed."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from service.client import Client
from service.jobs.schemas import Job, Outcome
from tests.serving import GRACE, RunningService, running_service, wait_for

# All that has to be carried over: moments, the order of rows, a place inside an epoch.
RECIPE: dict[str, Any] = {
    "optimiser": {"rule": "Adam", "eta": 0.01},
    "batch_size": 16,
    "shuffle": True,
    "seed": 3,
    "keep_every": 2,
}
ROWS = 2000
EPOCHS = 2000
"""Some seconds of work: the first checkpoint comes after one and a half."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_service(tmp_path_factory.mktemp("lost"), "--workers", "2") as running:
        yield running


def wave(client: Client) -> tuple[str, str]:
    """A model and a dataset that take a while."""
    xs = [row / ROWS for row in range(ROWS)]
    dataset = client.create_dataset(
        {"x": xs, "y": [x * (1 - x) for x in xs]}, ["y"], split={"validation": {"last": 50}}
    )
    return client.create_model("Chain(Dense(1 => 16, tanh), Dense(16 => 1))", seed=1).id, dataset.id


def finished(client: Client, job: Job) -> Job:
    ended = client.job(job.id, wait=60)
    assert ended.state == "succeeded", ended
    return ended


def learned(client: Client, job: Job) -> tuple[Any, list[tuple[int, float, float | None]]]:
    """All that a job leaves: parameters, and the losses of every epoch."""
    reports = [(each.epoch, each.train_loss, each.validation_loss) for each in client.epochs(job.id)]
    return client.parameters(job.model, job.version).layers, reports


def points(service: RunningService, job: Job) -> dict[int, bytes]:
    """The parameters that were kept on the way."""
    with closing(sqlite3.connect(service.folder / "descent.db")) as connection:
        return dict(connection.execute("SELECT epoch, parameters FROM points WHERE job_id = ?", (job.id,)))


def has_a_checkpoint(service: RunningService, job: Job) -> bool:
    with closing(sqlite3.connect(service.folder / "descent.db")) as connection:
        return connection.execute("SELECT 1 FROM checkpoints WHERE job_id = ?", (job.id,)).fetchone() is not None


@pytest.fixture(scope="module")
def undisturbed(service: RunningService) -> Job:
    with service.client() as client:
        model, dataset = wave(client)
        return finished(client, client.train(model, dataset, epochs=EPOCHS, from_version=0, **RECIPE))


def test_a_job_whose_worker_is_killed_ends_with_the_bytes_of_an_undisturbed_run(
    service: RunningService, undisturbed: Job
) -> None:
    with service.client() as client:
        job = client.train(undisturbed.model, undisturbed.dataset, epochs=EPOCHS, from_version=0, **RECIPE)
        wait_for(lambda: has_a_checkpoint(service, job))

        for worker in service.workers():
            worker.kill()

        ended = finished(client, job)
        assert ended.losses_of_worker == 1
        assert ended.attempt == 2
        assert learned(client, ended) == learned(client, undisturbed)
        assert list(points(service, ended)) == list(range(2, EPOCHS + 1, 2))
        assert points(service, ended) == points(service, undisturbed)


def test_a_verification_whose_worker_is_killed_compares_in_the_end(service: RunningService, undisturbed: Job) -> None:
    with service.client() as client:
        answer = client.http.post(f"/api/jobs/{undisturbed.id}/verify", headers={"Prefer": "wait=0"})
        again = Job.model_validate(answer.raise_for_status().json())
        wait_for(lambda: has_a_checkpoint(service, again))
        for worker in service.workers():
            worker.kill()

        ended = finished(client, again)
        assert (ended.losses_of_worker, ended.version) == (1, None)
        assert ended.verification == Outcome(identical=True, differs=[])
        assert points(service, ended) == {}


def test_a_job_that_is_killed_before_its_first_checkpoint_begins_again(service: RunningService) -> None:
    with service.client() as client:
        model, dataset = wave(client)
        job = client.train(model, dataset, epochs=EPOCHS // 4, **RECIPE)
        wait_for(lambda: client.job(job.id).state == "running")
        for worker in service.workers():
            worker.kill()
        ended = finished(client, job)
        assert [report.epoch for report in client.epochs(ended.id)] == list(range(EPOCHS // 4 + 1))


def test_jobs_survive_the_death_of_everything_at_once(folder: Path) -> None:
    with running_service(folder, "--workers", "1") as first, first.client() as client:
        model, dataset = wave(client)
        running = client.train(model, dataset, epochs=EPOCHS, from_version=0, **RECIPE)
        queued = [client.train(model, dataset, epochs=2, from_version=0) for _ in range(3)]
        wait_for(lambda: has_a_checkpoint(first, running))
        done = client.job(running.id).epochs_done
        first.kill()

    with running_service(folder, "--workers", "1") as second, second.client() as client:
        assert client.job(running.id).epochs_done >= done
        ended = finished(client, running)
        assert all(finished(client, job).epochs_done == 2 for job in queued)
        undisturbed = finished(client, client.train(model, dataset, wait=60, epochs=EPOCHS, from_version=0, **RECIPE))
        assert learned(client, ended) == learned(client, undisturbed)
        assert points(second, ended) == points(second, undisturbed)


def test_a_stop_takes_moments_and_counts_as_no_loss(folder: Path) -> None:
    with running_service(folder, "--workers", "1") as first, first.client() as client:
        model, dataset = wave(client)
        job = client.train(model, dataset, epochs=EPOCHS, **RECIPE)
        wait_for(lambda: client.job(job.id).state == "running")
        assert first.stop() < GRACE
        assert "Traceback" not in first.log

    with running_service(folder, "--workers", "1") as second, second.client() as client:
        assert finished(client, job).losses_of_worker == 0
