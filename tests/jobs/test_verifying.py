"""Receipts, and training again from them over HTTP."""

import hashlib
from typing import Any

import numpy as np
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import problem
from tests.support.serving import RunningService
from tests.support.training import all_workers_busy, endless_job, line, straight


@pytest.fixture
def job(client: Client) -> Job:
    recipe: dict[str, Any] = {"epochs": 7, "batch_size": 4, "shuffle": True, "seed": 5, "optimiser": {"rule": "Adam"}}
    ended = client.train(straight(client, seed=3).id, line(client).id, wait=30, **recipe)
    assert ended.state == "succeeded"
    return ended


def sha256(layer: dict[str, Any]) -> str:
    return hashlib.sha256(np.array([layer["weight"][0][0], layer["bias"][0]], np.float32).tobytes()).hexdigest()


def test_a_succeeded_job_has_a_receipt(client: Client, job: Job) -> None:
    receipt = job.receipt
    assert receipt is not None
    before, after = (client.parameters(job.model, version).layers[0] for version in (0, 1))
    assert (receipt.start_sha256, receipt.parameters_sha256) == (sha256(before), sha256(after))
    assert receipt.dataset_sha256 == client.http.get(f"/api/datasets/{job.dataset}").json()["sha256"]
    assert receipt.seed == 5
    assert receipt.recipe == {**job.recipe, "path": "batches"}
    assert receipt.libraries.numpy == np.__version__
    assert receipt.libraries.blas is None or receipt.libraries.blas.threads == 1
    assert receipt.cpu


def test_a_job_without_a_version_has_no_receipt(client: Client) -> None:
    failed = client.train(straight(client).id, line(client).id, wait=30, optimiser={"rule": "Descent", "eta": 1e6})
    assert (failed.state, failed.receipt) == ("failed", None)
    answer = problem(client.http.post(f"/api/jobs/{failed.id}/verify"), 409)
    assert answer["code"] == "nothing_to_verify"
    assert "failed" in answer["detail"]


def test_training_again_gives_the_same_bytes(client: Client, job: Job) -> None:
    answer = client.http.post(f"/api/jobs/{job.id}/verify")

    assert answer.status_code == 200
    found = answer.json()
    assert (found["identical"], found["differs"]) == (True, [])
    assert answer.headers["location"] == f"/api/jobs/{found['job']}"
    again = client.job(found["job"])
    assert (again.state, again.verifies, again.version) == ("succeeded", job.id, None)
    assert again.verification is not None
    assert again.verification.identical
    assert client.http.get(f"/api/models/{job.model}").json()["versions"] == 2
    assert again.epochs_done == 7
    assert client.http.get(f"/api/jobs/{again.id}/epochs").json() == {"items": [], "next": None}
    assert client.http.get(f"/api/jobs/{again.id}/epochs?points=10").json()["items"] == []


def test_a_verification_is_no_training_of_its_model(client: Client, job: Job) -> None:
    again = client.http.post(f"/api/jobs/{job.id}/verify").json()["job"]
    trainings = client.http.get(f"/api/models/{job.model}/metrics").json()["trainings"]
    assert [training["job"] for training in trainings] == [job.id]
    answer = problem(client.http.post(f"/api/jobs/{again}/verify"), 409)
    assert job.id in answer["detail"]


def test_who_does_not_wait_gets_the_job_that_trains_again(client: Client, job: Job) -> None:
    answer = client.http.post(f"/api/jobs/{job.id}/verify", headers={"Prefer": "wait=0"})

    assert answer.status_code == 202
    again = answer.json()
    assert again["verifies"] == job.id
    assert answer.headers["location"] == f"/api/jobs/{again['id']}"
    assert int(answer.headers["retry-after"]) > 0
    ended = client.job(again["id"], wait=30)
    assert ended.verification is not None
    assert ended.verification.identical


def test_a_verification_that_is_sent_twice_with_a_key_trains_once(client: Client, job: Job) -> None:
    headers = {"Idempotency-Key": f"verify {job.id}"}
    first = client.http.post(f"/api/jobs/{job.id}/verify", headers=headers)
    second = client.http.post(f"/api/jobs/{job.id}/verify", headers=headers)
    assert second.headers["location"] == first.headers["location"]
    verifying = client.http.get(f"/api/jobs?model={job.model}").json()["items"]
    assert [each["verifies"] for each in verifying] == [job.id, None]


def test_what_is_gone_cannot_be_verified(client: Client, job: Job) -> None:
    assert client.http.delete(f"/api/datasets/{job.dataset}").status_code == 204
    assert problem(client.http.post(f"/api/jobs/{job.id}/verify"), 409)["code"] == "dataset_gone"
    assert client.http.delete(f"/api/models/{job.model}").status_code == 204
    assert problem(client.http.post(f"/api/jobs/{job.id}/verify"), 409)["code"] == "model_gone"


def test_a_job_that_runs_or_is_unknown_cannot_be_verified(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running:
        assert "running" in problem(client.http.post(f"/api/jobs/{running.id}/verify"), 409)["detail"]
    problem(client.http.post(f"/api/jobs/job_{'0' * 26}/verify"), 404)


def test_dataset_and_model_stay_while_a_job_is_verified(client: Client, service: RunningService) -> None:
    dataset, model = line(client), straight(client)
    job = client.train(model.id, dataset.id, wait=30, epochs=1)
    with all_workers_busy(client, service):
        again = client.http.post(f"/api/jobs/{job.id}/verify", headers={"Prefer": "wait=0"}).json()["id"]
        assert problem(client.http.delete(f"/api/datasets/{dataset.id}"), 409)["code"] == "dataset_in_use"
        assert problem(client.http.delete(f"/api/models/{model.id}"), 409)["code"] == "model_in_use"
        client.cancel(again)
    assert client.job(again, wait=30).state == "cancelled"
