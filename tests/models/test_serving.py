"""The version that a model serves: the latest, or one that a client pins."""

from typing import Any

import pytest

from service.client import Client
from tests.support.problems import problem
from tests.support.training import endless_job, line, straight

DOUBLED = [{"weight": [[2]], "bias": [0]}]
TRIPLED = [{"weight": [[3]], "bias": [0]}]


@pytest.fixture
def model(client: Client) -> str:
    """A model of three versions, which multiply by 1, 2 and 3."""
    id = straight(client, parameters=[{"weight": [[1]], "bias": [0]}]).id
    for layers in (DOUBLED, TRIPLED):
        client.http.put(f"/api/models/{id}/parameters", json={"layers": layers}).raise_for_status()
    return id


def change(client: Client, model: str, **fields: Any) -> dict[str, Any]:
    response = client.http.patch(f"/api/models/{model}", json=fields)
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    assert client.http.get(f"/api/models/{model}").json() == shown
    return shown


def factors(client: Client, model: str) -> set[float]:
    """What the version does that is served, by all ways to ask it."""
    api, inputs = f"/api/models/{model}", {"inputs": [[1]]}
    tensor = {"name": "inputs", "datatype": "FP32", "shape": [1, 1], "data": [1]}
    posted = [
        client.http.post(f"{api}/predictions", json=inputs).json()["outputs"][0][0],
        client.http.post(f"{api}/invocations", json=inputs).json()["predictions"][0],
        client.http.post(f"/v1/models/{model}:predict", json={"instances": [[1]]}).json()["predictions"][0],
        client.http.post(f"/v2/models/{model}/infer", json={"inputs": [tensor]}).json()["outputs"][0]["data"][0],
    ]
    source = client.http.get(f"{api}/export?format=flux").text
    version = client.evaluate(model, line(client).id, part="train").version
    assert f"version {version}" in source or f"v{version}" in source
    return {*posted, version + 1.0}


def test_a_model_serves_its_latest_version_until_one_is_pinned(client: Client, model: str) -> None:
    shown = client.http.get(f"/api/models/{model}").json()
    assert (shown["serving"], shown["served"], shown["version"]) == ("latest", 2, 2)
    assert factors(client, model) == {3}


def test_a_pin_is_what_answers_until_it_is_moved(client: Client, model: str) -> None:
    shown = change(client, model, serving=1)
    assert (shown["serving"], shown["served"], shown["version"]) == (1, 1, 2)
    client.http.put(f"/api/models/{model}/parameters", json={"layers": TRIPLED}).raise_for_status()
    assert factors(client, model) == {2}
    listed = client.http.get(f"/api/models/{model}/versions").json()["items"]
    assert [(each["version"], each["served"]) for each in listed] == [(3, False), (2, False), (1, True), (0, False)]
    assert {(each["serve"], each["refused"]) for each in listed} == {("always", False)}
    shown = change(client, model, serving="latest")
    assert (shown["serving"], shown["served"]) == ("latest", 3)


def test_parameters_trainings_and_lists_go_by_number_under_a_pin(client: Client, model: str) -> None:
    change(client, model, serving=0)
    assert client.parameters(model).version == 2
    assert client.http.get(f"/v2/models/{model}").json()["versions"] == ["0", "1", "2"]
    job = client.train(model, line(client).id, wait=30, epochs=1, optimiser={"rule": "Descent", "eta": 0.01})
    assert (job.recipe["from_version"], job.version) == (2, 3)
    copied = client.http.post("/api/models", json={"from": {"model": model}}).json()
    assert client.parameters(copied["id"]).layers == client.parameters(model, 3).layers


def test_a_name_and_a_pin_change_together_or_not_at_all(client: Client, model: str) -> None:
    shown = change(client, model, name=f"name-{model[4:]}", serving=0)
    assert (shown["name"], shown["serving"]) == (f"name-{model[4:]}", 0)
    taken = straight(client).id
    name = client.http.patch(f"/api/models/{taken}", json={"name": f"other-{model[4:]}"}).json()["name"]
    refused = client.http.patch(f"/api/models/{model}", json={"name": name, "serving": 1})
    assert problem(refused, 409)["code"] == "name_taken"
    assert client.http.get(f"/api/models/{model}").json() == shown


def test_a_version_that_is_not_there_cannot_be_pinned(client: Client, model: str) -> None:
    refused = problem(client.http.patch(f"/api/models/{model}", json={"serving": 3, "name": "lost"}), 404)
    assert refused["code"] == "version_not_found"
    assert [each["pointer"] for each in refused["errors"]] == ["#/serving"]
    assert client.http.get(f"/api/models/{model}").json()["name"] == model


@pytest.mark.parametrize("value", [-1, 2**31, 1.5, True, "1", "Latest", "newest", None, [], {}], ids=repr)
def test_serving_is_a_number_or_the_word_latest(client: Client, model: str, value: Any) -> None:
    refused = problem(client.http.patch(f"/api/models/{model}", json={"serving": value}), 422)
    (fault,) = refused["errors"]
    assert fault["pointer"] == "#/serving"
    assert "latest" in fault["detail"]


@pytest.mark.parametrize("body", [{}, {"served": 1}, {"version": 1}, {"serving": 1, "pinned": True}, {"name": None}])
def test_a_change_needs_a_field_that_there_is(client: Client, model: str, body: dict[str, Any]) -> None:
    problem(client.http.patch(f"/api/models/{model}", json=body), 422)


def test_the_signature_shown_is_that_of_the_served_version(client: Client, model: str) -> None:
    client.train(model, line(client).id, wait=30, epochs=1, optimiser={"rule": "Descent", "eta": 0.01})
    assert client.http.get(f"/api/models/{model}").json()["signature"]["features"][0]["name"] == "x"
    assert change(client, model, serving=0)["signature"] is None
    client.http.put(f"/api/models/{model}/parameters", json={"layers": DOUBLED}).raise_for_status()
    assert change(client, model, serving=4)["signature"]["features"][0]["name"] == "x"


def test_a_job_that_trains_a_model_does_not_keep_its_pin_from_moving(client: Client, model: str) -> None:
    with endless_job(client, model, line(client).id):
        assert change(client, model, serving=1)["served"] == 1
