"""Models made from a version, from a kept epoch, or from the parameters that a broken-off job left."""

from typing import Any

import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

INSTEAD = [{"weight": [[1]], "bias": [2]}]


def layers_of(client: Client, model: str, query: str = "") -> list[dict[str, Any]]:
    answer = client.http.get(f"/api/models/{model}/parameters{query}")
    assert answer.status_code == 200
    layers: list[dict[str, Any]] = answer.json()["layers"]
    return layers


def copy(client: Client, **origin: Any) -> dict[str, Any]:
    answer = client.http.post("/api/models", json={"from": origin})
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def diverged(client: Client, model: str) -> Job:
    job = client.train(model, line(client).id, wait=30, epochs=200, optimiser={"rule": "Descent", "eta": 0.5})
    assert job.state == "failed"
    return job


def test_a_copy_has_network_parameters_and_signature_of_its_version(client: Client) -> None:
    model = client.create_model("Chain(Dense(1 => 3, tanh), Dense(3 => 1))", dtype="float64", seed=9)
    client.train(model.id, line(client).id, wait=30, epochs=6, keep_every=3)
    shown = client.http.get(f"/api/models/{model.id}").json()

    latest, untrained, kept = (copy(client, model=model.id, **which) for which in ({}, {"version": 0}, {"epoch": 3}))

    for made in (latest, untrained, kept):
        assert (made["architecture"], made["dtype"], made["version"]) == (model.architecture, "float64", 0)
    assert layers_of(client, latest["id"]) == layers_of(client, model.id, "?version=1")
    assert layers_of(client, untrained["id"]) == layers_of(client, model.id, "?version=0")
    assert layers_of(client, kept["id"]) == layers_of(client, model.id, "?epoch=3")
    assert latest["signature"] == kept["signature"] == shown["signature"]
    assert untrained["signature"] is None


def test_what_a_job_left_becomes_a_model(client: Client) -> None:
    job = diverged(client, straight(client).id)
    left = client.http.get(f"/api/jobs/{job.id}/parameters").json()["layers"]

    made = client.http.post("/api/models", json={"name": "left-behind", "from": {"job": job.id}}).json()

    assert (made["name"], made["architecture"], made["version"]) == ("left-behind", "Dense(1 => 1)", 0)
    assert layers_of(client, made["id"]) == left
    assert [each["name"] for each in made["signature"]["features"]] == ["x"]
    client.http.delete("/api/models/left-behind")


def test_what_a_job_left_outlives_its_model(client: Client) -> None:
    model = straight(client)
    job = diverged(client, model.id)
    assert client.http.delete(f"/api/models/{model.id}").status_code == 204
    assert copy(client, job=job.id)["architecture"] == "Dense(1 => 1)"


def test_where_an_origin_leads_nowhere_the_field_is_named(client: Client) -> None:
    model = straight(client)
    succeeded = client.train(model.id, line(client).id, wait=30, epochs=1)
    for origin, pointer in (
        ({"model": "nobody"}, "#/from/model"),
        ({"model": model.id, "version": 7}, "#/from/version"),
        ({"model": model.id, "epoch": 1}, "#/from/epoch"),
        ({"job": "job_nobody"}, "#/from/job"),
        ({"job": succeeded.id}, "#/from/job"),
    ):
        answer = client.http.post("/api/models", json={"from": origin})
        assert [error["pointer"] for error in problem(answer, 404)["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"from": {}}, "#/from"),
        ({"from": {"model": "a", "job": "b"}}, "#/from"),
        ({"from": {"model": None, "job": None}}, "#/from"),
        ({"from": "a"}, "#/from"),
        ({"from": {"job": "b", "epoch": 1}}, "#/from"),
        ({"from": {"model": "a", "version": -1}}, "#/from/version"),
        ({"from": {"model": "a"}, "architecture": "Dense(1 => 1)"}, "#"),
        ({"from": {"model": "a"}, "parameters": INSTEAD}, "#"),
        ({"from": {"model": "a"}, "seed": 1}, "#"),
        ({"from": None}, "#"),
    ],
)
def test_an_origin_says_one_thing(client: Client, body: dict[str, Any], pointer: str) -> None:
    assert pointers(client.http.post("/api/models", json=body)) == [pointer]
