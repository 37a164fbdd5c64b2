"""Jobs that are deleted: what goes with them, what stays, and what keeps them."""

from typing import Any

import httpx
import pytest

from service.client import Client, ProblemError
from tests.support.pages import walk
from tests.support.problems import problem
from tests.support.serving import RunningService
from tests.support.training import all_workers_busy, endless_job, line, straight

FEW: dict[str, Any] = {"epochs": 4, "optimiser": {"rule": "Descent", "eta": 0.01}}
WHICH: list[dict[str, Any]] = [{"part": "train"}, {"part": "train", "epoch": 2}]


def delete(client: Client, job: str) -> httpx.Response:
    return client.http.delete(f"/api/jobs/{job}")


def test_a_deleted_job_is_not_found_by_any_way(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, wait=30, **FEW).id
    assert (response := delete(client, job)).status_code == 204, response.text
    path = f"/api/jobs/{job}"
    asked = [
        *(client.http.get(f"{path}{rest}") for rest in ("", "/epochs", "/epochs?points=9", "/log", "/events")),
        client.http.get(f"{path}/parameters"),
        client.http.get(path, headers={"Prefer": "wait=1"}),
        *(client.http.post(f"{path}/{verb}") for verb in ("cancel", "stop", "pause", "resume", "verify")),
        client.http.patch(path, json={"priority": 1}),
        delete(client, job),
    ]
    assert {response.status_code for response in asked} == {404}
    assert {response.json()["code"] for response in asked} == {"job_not_found"}
    assert job not in [each["id"] for page in walk(client.http, "/api/jobs", limit=1000) for each in page]


def test_what_a_deleted_job_trained_stays_as_it_was(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    job = client.train(model, dataset, wait=30, **FEW, loss="mae", keep_every=2).id
    asked = [
        ("GET", "", None),
        ("GET", "/versions", None),
        ("GET", "/parameters?version=1", None),
        ("GET", "/parameters?version=1&epoch=2", None),
        ("GET", "/export?format=safetensors&version=1&epoch=4", None),
        ("POST", "/predictions?version=1", {"rows": [{"x": 6}]}),
        ("POST", "/predictions?version=1&epoch=2", {"dataset": dataset, "part": "train"}),
    ]

    def answers() -> list[bytes]:
        found = [client.http.request(method, f"/api/models/{model}{rest}", json=body) for method, rest, body in asked]
        return [response.raise_for_status().content for response in found]

    before, evaluated = answers(), [client.evaluate(model, dataset, **which) for which in WHICH]
    assert delete(client, job).status_code == 204
    assert answers() == before
    for kept, which in zip(evaluated, WHICH, strict=True):
        again = client.evaluate(model, dataset, **which)
        assert (again.loss, again.metrics) == (kept.loss, kept.metrics)
        assert kept.loss != pytest.approx(kept.metrics["mse"]), "the loss is that of the job"
    metrics = client.http.get(f"/api/models/{model}/metrics").json()
    assert (metrics["trainings"], len(metrics["evaluations"])) == ([], 4)


def test_training_goes_on_from_the_version_of_a_deleted_job(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    job = client.train(model, dataset, wait=30, **FEW, keep_every=2).id
    assert delete(client, job).status_code == 204
    for begun_from in ({}, {"from_version": 1, "from_epoch": 2}):
        following = client.train(model, dataset, wait=30, **FEW, **begun_from, serve="if_better")
        assert following.state == "succeeded"
        assert client.http.post(f"/api/jobs/{following.id}/verify").json()["identical"] is True
    served = client.http.get(f"/api/models/{model}").json()
    assert served["served"] == 2, "the last one began from an earlier epoch, and is no better"
    copy = {"from": {"model": model, "version": 1, "epoch": 2}}
    assert client.http.post("/api/models", json=copy).status_code == 201


def test_the_points_of_a_deleted_job_go_with_its_version(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    job = client.train(model, dataset, wait=30, **FEW, keep_every=2).id
    client.train(model, dataset, wait=30, **FEW)
    assert delete(client, job).status_code == 204
    assert client.http.delete(f"/api/models/{model}/versions/1").status_code == 204
    assert client.http.delete(f"/api/models/{model}").status_code == 204


def test_a_job_whose_model_is_gone_is_deleted(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    job = client.train(model, dataset, wait=30, **FEW).id
    client.delete(f"/api/models/{model}")
    client.delete(f"/api/datasets/{dataset}")
    assert delete(client, job).status_code == 204


def test_a_failed_or_cancelled_job_goes_with_its_last_parameters(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    failed = client.train(model, dataset, wait=30, epochs=500, optimiser={"rule": "Descent", "eta": 1e6})
    with endless_job(client, model, dataset) as cancelled:
        client.cancel(cancelled.id)
        assert client.job(cancelled.id, wait=30).state == "cancelled"
    assert failed.state == "failed"
    for job in (failed.id, cancelled.id):
        assert client.http.get(f"/api/jobs/{job}/parameters").status_code == 200
        assert delete(client, job).status_code == 204
        lost = problem(client.http.post("/api/models", json={"from": {"job": job}}), 404)
        assert lost["code"] == "no_last_parameters"


def test_a_job_that_has_not_ended_stays(client: Client, service: RunningService) -> None:
    model, dataset = straight(client).id, line(client).id
    with endless_job(client, model, dataset) as running:
        refused = problem(delete(client, running.id), 409)
        assert refused["code"] == "job_not_ended"
        assert "running" in refused["detail"]
        assert f"POST /api/jobs/{running.id}/cancel" in refused["detail"]
        client.pause(running.id)
        assert client.job(running.id, wait=30).state == "paused"
        assert "paused" in problem(delete(client, running.id), 409)["detail"]
        client.http.post(f"/api/jobs/{running.id}/cancel").raise_for_status()
    assert delete(client, running.id).status_code == 204
    with all_workers_busy(client, service):
        waits = client.train(model, dataset)
        assert "queued" in problem(delete(client, waits.id), 409)["detail"]
        client.cancel(waits.id)
        assert delete(client, waits.id).status_code == 204


def test_a_job_stays_while_it_is_verified(client: Client, service: RunningService) -> None:
    model, dataset = straight(client).id, line(client).id
    job = client.train(model, dataset, wait=30, **FEW).id
    with all_workers_busy(client, service):
        verifying = client.http.post(f"/api/jobs/{job}/verify", headers={"Prefer": "wait=0"}).json()
        refused = problem(delete(client, job), 409)
        assert refused["code"] == "job_in_use"
        assert verifying["id"] in refused["detail"]
        client.cancel(verifying["id"])
    assert delete(client, job).status_code == 204
    assert client.job(verifying["id"]).verifies == job
    assert delete(client, verifying["id"]).status_code == 204
    with pytest.raises(ProblemError, match="no job"):
        client.job(job)
