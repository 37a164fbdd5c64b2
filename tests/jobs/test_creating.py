"""Posting a job: accepted at once, waited for where that is preferred, only planned where that is asked."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.problems import pointers, problem
from tests.support.training import endless_job, line, straight


@pytest.fixture
def body(client: Client) -> dict[str, Any]:
    return {"model": straight(client).id, "dataset": line(client).id, "epochs": 5}


def test_a_job_is_accepted_with_where_to_look_and_when(client: Client, body: dict[str, Any]) -> None:
    answer = client.http.post("/api/jobs", json=body)

    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    assert int(answer.headers["retry-after"]) > 0
    assert "preference-applied" not in answer.headers
    assert (job["state"], job["progress"], job["epochs_done"], job["attempt"]) == ("queued", 0, 0, 0)
    assert (job["model"], job["dataset"]) == (body["model"], body["dataset"])
    for nothing_yet in ("initial_loss", "final_loss", "best", "version", "error", "ended_by", "started_at", "ended_at"):
        assert job[nothing_yet] is None
    assert client.job(job["id"], wait=30).state == "succeeded"


@pytest.mark.parametrize("preference", ["wait=30", "WAIT=30", "respond-async, wait=30", 'wait="30"', "wait = 30"])
def test_a_client_that_waits_gets_the_ended_job(client: Client, body: dict[str, Any], preference: str) -> None:
    answer = client.http.post("/api/jobs", json=body, headers={"Prefer": preference})

    assert answer.status_code == 200
    job = answer.json()
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    assert "retry-after" not in answer.headers
    assert (job["state"], job["ended_by"], job["progress"], job["epochs_done"]) == ("succeeded", "epochs", 1, 5)
    assert job["created_at"] <= job["started_at"] <= job["ended_at"]
    assert (job["attempt"], job["losses_of_worker"]) == (1, 0)
    assert client.http.get(f"/api/jobs/{job['id']}").json() == job


def test_a_request_sent_again_is_about_what_is_there_by_then(client: Client) -> None:
    first, model = line(client, name="sent-again"), straight(client)
    body = {"model": model.name, "dataset": first.name, "batch_size": 3, "optimiser": {"rule": "Adam"}}
    begun = client.http.post("/api/jobs", json=body, headers={"Prefer": "wait=30"}).json()
    again = client.http.post("/api/jobs?validate_only=true", json=body).json()
    assert (again["plan"], again["advice"]) == (begun["plan"], begun["advice"])
    assert [begun["recipe"]["from_version"], again["recipe"]["from_version"]] == [0, 1]
    client.http.delete(f"/api/datasets/{first.id}")
    assert client.http.post("/api/jobs", json=body).json()["code"] == "dataset_not_found"
    client.create_dataset({"x": [1, 2], "y": [1, 3]}, ["y"], name=first.name)
    assert client.http.post("/api/jobs", json={**body, "partial": False}).json()["code"] == "no_full_batch"


@pytest.mark.parametrize("keep_every", [None, 1])
def test_a_model_without_parameters_has_nothing_to_train(client: Client, keep_every: int | None) -> None:
    dataset = client.create_dataset({"a": [1, 2], "b": [3, 5], "c": [1, 0], "d": [0, 1]}, ["c", "d"])
    model = client.create_model("LayerNorm(2; affine=false)")
    answer = client.http.post("/api/jobs", json={"model": model.id, "dataset": dataset.id, "keep_every": keep_every})
    assert pointers(answer) == ["#/model"]
    assert answer.json()["code"] == "nothing_to_train"


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_wait_that_is_too_short_gets_the_job_as_it_stands(client: Client, body: dict[str, Any], seconds: int) -> None:
    endless = {**body, "epochs": 10_000_000, "batch_size": 1, "optimiser": {"rule": "Descent", "eta": 1e-9}}
    answer = client.http.post("/api/jobs", json=endless, headers={"Prefer": f"wait={seconds}"})

    assert answer.status_code == 202
    assert answer.json()["state"] in ("queued", "running")
    assert answer.headers["preference-applied"] == f"wait={seconds}"
    assert int(answer.headers["retry-after"]) > 0
    client.cancel(answer.json()["id"])
    assert client.job(answer.json()["id"], wait=30).state == "cancelled"


def test_a_longer_wait_than_a_minute_is_cut(client: Client, body: dict[str, Any]) -> None:
    answer = client.http.post("/api/jobs", json=body, headers={"Prefer": "wait=86400"})
    assert answer.headers["preference-applied"] == "wait=60"


@pytest.mark.parametrize("preference", ["", "respond-async", "wait", "wait=", "wait=soon", "wait=-1", "await=3"])
def test_other_preferences_are_ignored(client: Client, body: dict[str, Any], preference: str) -> None:
    answer = client.http.post("/api/jobs", json=body, headers={"Prefer": preference})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers
    client.job(answer.json()["id"], wait=30)


def test_a_job_can_be_waited_for_later(client: Client, body: dict[str, Any]) -> None:
    job = client.http.post("/api/jobs", json=body).json()["id"]
    answer = client.http.get(f"/api/jobs/{job}", headers={"Prefer": "wait=30"})
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")


def test_validation_plans_and_creates_nothing(client: Client, body: dict[str, Any]) -> None:
    answer = client.http.post("/api/jobs?validate_only=true", json=body)

    assert answer.status_code == 200
    assert "location" not in answer.headers
    planned = answer.json()
    assert planned["plan"]["parameter_count"] == 2
    assert planned["plan"]["operations"] > 0
    assert planned["plan"]["seconds"] > 0
    assert planned["recipe"]["epochs"] == 5
    assert client.http.get(f"/api/jobs?model={body['model']}").json()["items"] == []
    created = client.http.post("/api/jobs", json=body, headers={"Prefer": "wait=30"}).json()
    assert (created["plan"], created["recipe"]) == (planned["plan"], planned["recipe"])


def test_validation_refuses_what_a_post_would(client: Client, body: dict[str, Any]) -> None:
    for query in ("", "?validate_only=true"):
        assert pointers(client.http.post(f"/api/jobs{query}", json={**body, "epochs": 0})) == ["#/epochs"]
    assert pointers(client.http.post("/api/jobs?validate_only=maybe", json=body)) == ["query/validate_only"]


def test_the_recipe_is_frozen_with_all_its_defaults(client: Client, body: dict[str, Any]) -> None:
    client.http.put(
        f"/api/models/{body['model']}/parameters", json={"layers": [{"weight": [[1]], "bias": [0]}]}
    ).raise_for_status()
    del body["epochs"]
    recipe = client.http.post("/api/jobs?validate_only=true", json=body).json()["recipe"]

    defaults = {
        "epochs": 200,
        "loss": "mse",
        "optimiser": {"rule": "Descent", "eta": 0.1},
        "batch_size": None,
        "partial": True,
        "shuffle": False,
        "seed": 0,
        "from_version": 1,
    }
    assert {name: recipe[name] for name in defaults} == defaults


def test_model_and_dataset_are_named_by_id_or_name(client: Client) -> None:
    model, dataset = straight(client, name="runner"), line(client, name="track")
    job = client.train("runner", "track", wait=30, epochs=1)
    assert (job.model, job.dataset, job.state) == (model.id, dataset.id, "succeeded")
    client.http.delete("/api/models/runner")
    client.http.delete("/api/datasets/track")


@pytest.fixture(scope="module")
def three(client: Client) -> Iterator[dict[str, Any]]:
    """Three jobs: ended, running, and ended on another dataset with another model."""
    model, other = straight(client), straight(client)
    dataset, second = line(client), line(client)
    first = client.train(model.id, dataset.id, wait=30, epochs=1)
    last = client.train(other.id, second.id, wait=30, epochs=1)
    with endless_job(client, model.id, second.id) as running:
        yield {
            "first": first.id,
            "last": last.id,
            "running": running.id,
            "model": model,
            "data": dataset,
            "second": second,
        }


def listed(http: httpx.Client, query: str) -> list[str]:
    answer = http.get(f"/api/jobs?{query}")
    assert answer.status_code == 200
    return [job["id"] for job in answer.json()["items"]]


def test_jobs_are_listed_newest_first(client: Client, three: dict[str, Any]) -> None:
    assert listed(client.http, "limit=3") == [three["running"], three["last"], three["first"]]


def test_jobs_are_listed_by_state_model_and_dataset(client: Client, three: dict[str, Any]) -> None:
    first, last, running = three["first"], three["last"], three["running"]
    going_on = listed(client.http, "state=running&limit=1000")
    assert running in going_on
    assert not {first, last} & set(going_on)
    assert {first, last} <= set(listed(client.http, "state=succeeded&limit=1000"))
    assert running not in listed(client.http, "state=succeeded&limit=1000")
    name, second = three["model"].name, three["second"].id
    assert listed(client.http, f"model={name}") == listed(client.http, f"model={three['model'].id}") == [running, first]
    assert listed(client.http, f"dataset={three['data'].name}") == [first]
    assert listed(client.http, f"dataset={second}") == [running, last]
    assert listed(client.http, f"model={name}&dataset={second}&state=running") == [running]
    assert listed(client.http, f"model={name}&state=failed") == listed(client.http, "model=nobody") == []


def test_a_state_that_is_none_is_refused(http: httpx.Client) -> None:
    assert pointers(http.get("/api/jobs?state=done")) == ["query/state"]


def test_a_trained_version_goes_on_with_its_own_classes_alone(client: Client) -> None:
    xs = [0, 1, 2, 3, 4, 5]
    first, other, same = (
        client.create_dataset({"x": xs, "y": [*classes]}, ["y"]).id for classes in ("abcabc", "bcdbcd", "cabcab")
    )
    model = client.create_model("Dense(1 => 3)").id
    client.train(model, first, loss="logitcrossentropy", epochs=2, wait=30)
    body = {"model": model, "dataset": other, "loss": "logitcrossentropy", "epochs": 2}
    refused = problem(client.http.post("/api/jobs", json=body), 422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("columns_differ", "#/dataset")
    assert "Target 'y' has a category that the version does not know, 'd'; it knows 'a', 'b', 'c'" in refused["detail"]
    assert client.http.post("/api/jobs?validate_only=true", json=body | {"from_version": 0}).status_code == 200
    assert client.http.post("/api/jobs?validate_only=true", json=body | {"dataset": same}).status_code == 200


def test_a_copy_of_a_trained_version_is_told_how_to_begin_anew(client: Client) -> None:
    xs = [0, 1, 2, 3, 4, 5]
    first, other = (client.create_dataset({"x": xs, "y": [*classes]}, ["y"]).id for classes in ("abcabc", "bcdbcd"))
    model = client.create_model("Dense(1 => 3)").id
    client.train(model, first, loss="logitcrossentropy", epochs=2, wait=30)
    copy = client.http.post("/api/models", json={"from": {"model": model}}).json()["id"]
    body = {"model": copy, "dataset": other, "loss": "logitcrossentropy", "from_version": 0}
    refused = problem(client.http.post("/api/jobs", json=body), 422)
    assert refused["detail"].endswith("A new model can begin anew.")


@pytest.mark.parametrize("name", ["", "team blue", "Blüte"])
def test_a_submitter_gives_any_short_name(client: Client, body: dict[str, Any], name: str) -> None:
    answer = client.http.post(
        "/api/jobs", json=body, headers={b"X-Descent-Client": name.encode(), b"Prefer": b"wait=30"}
    )
    assert answer.json()["state"] == "succeeded"


def test_a_long_name_of_a_submitter_is_refused(client: Client, body: dict[str, Any]) -> None:
    answer = client.http.post("/api/jobs", json=body, headers={"X-Descent-Client": "x" * 101})
    assert pointers(answer) == ["header/X-Descent-Client"]
