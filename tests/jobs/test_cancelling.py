"""A job can be thrown away while it waits and while it runs; once it has ended it stays as it is."""

import math

import pytest

from service.client import Client, ProblemError
from tests.support.problems import problem
from tests.support.serving import RunningService
from tests.support.training import all_workers_busy, endless_job, line, straight


def test_a_running_job_is_cancelled_and_leaves_no_version(client: Client) -> None:
    dataset, model = line(client), straight(client)
    with endless_job(client, model.id, dataset.id) as running:
        asked = client.cancel(running.id)
        assert asked.state == "cancelled" or (asked.state, asked.asked) == ("running", "cancel")
        client.cancel(running.id)
        job = client.job(running.id, wait=30)

        assert (job.state, job.asked, job.version, job.ended_by, job.error) == ("cancelled", None, None, None, None)
        assert job.ended_at is not None
        assert 0 < job.epochs_done < 10_000_000
        assert 0 < job.progress < 1
        assert client.cancel(running.id) == job

    assert client.http.get(f"/api/models/{model.id}").json()["versions"] == 1
    (layer,) = client.http.get(f"/api/jobs/{job.id}/parameters").json()["layers"]
    assert all(map(math.isfinite, [layer["weight"][0][0], layer["bias"][0]]))
    assert client.epochs(job.id)[-1].epoch == job.epochs_done
    for path in (f"/api/models/{model.id}", f"/api/datasets/{dataset.id}"):
        assert client.http.delete(path).status_code == 204


def test_a_queued_job_is_cancelled_at_once_and_never_runs(client: Client, service: RunningService) -> None:
    dataset, model = line(client), straight(client)
    with all_workers_busy(client, service):
        queued = client.train(model.id, dataset.id, epochs=1)
        assert client.job(queued.id).state == "queued"

        job = client.cancel(queued.id)

        assert (job.state, job.asked, job.attempt, job.started_at) == ("cancelled", None, 0, None)
        assert job.ended_at is not None
        assert client.cancel(queued.id) == job
    later = client.train(model.id, dataset.id, wait=30, epochs=1)
    assert later.state == "succeeded"
    assert client.job(queued.id) == job
    problem(client.http.get(f"/api/jobs/{queued.id}/parameters"), 409)


@pytest.mark.parametrize(("rate", "state"), [(0.01, "succeeded"), (1e6, "failed")])
def test_a_job_that_has_ended_cannot_be_cancelled(client: Client, rate: float, state: str) -> None:
    optimiser = {"rule": "Descent", "eta": rate}
    job = client.train(straight(client).id, line(client).id, wait=30, epochs=30, optimiser=optimiser)
    assert job.state == state

    with pytest.raises(ProblemError) as refused:
        client.cancel(job.id)
    assert (refused.value.problem.status, refused.value.problem.code) == (409, "job_ended")
    assert state in refused.value.problem.detail
    assert "queued, running and paused" in refused.value.problem.detail
    assert client.job(job.id) == job


def test_a_job_that_is_not_there_cannot_be_cancelled(client: Client) -> None:
    problem(client.http.post(f"/api/jobs/job_{'0' * 26}/cancel"), 404)
