"""Versions that are deleted: what goes with them, what stays, and what keeps them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.problems import problem
from tests.support.training import endless_job, line, straight

SLOW: dict[str, Any] = {"epochs": 4, "optimiser": {"rule": "Descent", "eta": 0.01}}
LAYERS = [{"weight": [[2]], "bias": [0]}]


@pytest.fixture
def model(client: Client) -> str:
    """A model of versions 0 to 3, the last two of them trained one after the other."""
    id = straight(client).id
    put(client, id)
    for _ in range(2):
        client.train(id, line(client).id, wait=30, **SLOW, keep_every=2)
    return id


@pytest.fixture
def untrained(client: Client) -> str:
    """A model of versions 0 and 1."""
    id = straight(client).id
    put(client, id)
    return id


def put(client: Client, model: str) -> int:
    response = client.http.put(f"/api/models/{model}/parameters", json={"layers": LAYERS})
    return int(response.raise_for_status().json()["version"])


def delete(client: Client, model: str, version: Any) -> httpx.Response:
    return client.http.delete(f"/api/models/{model}/versions/{version}")


def test_a_deleted_version_is_not_found_by_any_way(client: Client, model: str) -> None:
    client.predict(model, [[1]], 2)  # now it is kept ready
    assert (response := delete(client, model, 2)).status_code == 204, response.text
    path, inputs = f"/api/models/{model}", {"inputs": [[1]]}
    asked = [
        client.http.get(f"{path}/versions/2"),
        client.http.get(f"{path}/parameters?version=2"),
        client.http.get(f"{path}/export?format=npz&version=2"),
        client.http.post(f"{path}/predictions?version=2", json=inputs),
        client.http.post(f"{path}/predictions?version=2&epoch=2", json=inputs),
        client.http.post(f"{path}/invocations?version=2", json=inputs),
        client.http.post(f"{path}/evaluations", json={"dataset": line(client).id, "part": "train", "version": 2}),
        client.http.patch(path, json={"serving": 2}),
        client.http.post("/api/jobs", json={"model": model, "dataset": line(client).id, "from_version": 2}),
        client.http.post("/api/models", json={"from": {"model": model, "version": 2}}),
        client.http.get(f"/v2/models/{model}/versions/2"),
        client.http.get(f"/v2/models/{model}/versions/2/ready"),
        client.http.get(f"/v2/models/{model}/versions/2/stats"),
        delete(client, model, 2),
    ]
    assert {response.status_code for response in asked} == {404}
    assert {response.json()["code"] for response in asked} == {"version_not_found"}
    assert "deleted" in asked[0].json()["detail"]


def test_lists_and_metrics_leave_a_deleted_version_out(client: Client, model: str) -> None:
    dataset = line(client).id
    evaluations = [client.evaluate(model, dataset, part="train", version=version) for version in (1, 2, 3)]
    client.predict(model, [[1]], 2)
    assert delete(client, model, 2).status_code == 204
    path = f"/api/models/{model}"
    shown = client.http.get(path).json()
    assert (shown["version"], shown["versions"], shown["served"]) == (3, 3, 3)
    listed = client.http.get(f"{path}/versions").json()["items"]
    assert [(each["version"], each["epochs"]) for each in listed] == [(3, [2, 4]), (1, []), (0, [])]
    metrics = client.http.get(f"{path}/metrics").json()
    assert [each["version"] for each in metrics["trainings"]] == [3]
    assert [each["version"] for each in metrics["evaluations"]] == [3, 1]
    problem(client.http.get(f"{path}/evaluations/{evaluations[1].id}"), 404)
    assert client.http.get(f"/v2/models/{model}").json()["versions"] == ["0", "1", "3"]


def test_statistics_of_a_deleted_version_are_no_longer_shown(client: Client, model: str) -> None:
    tensor = {"name": "inputs", "datatype": "FP32", "shape": [1, 1], "data": [1]}
    for version in (1, 2):
        path = f"/v2/models/{model}/versions/{version}/infer"
        client.http.post(path, json={"inputs": [tensor]}).raise_for_status()
    assert delete(client, model, 2).status_code == 204
    for path in (f"/v2/models/{model}/stats", "/v2/models/stats"):
        stats = client.http.get(path).json()["model_stats"]
        assert [each["version"] for each in stats if each["name"] == model] == ["1"]


def test_the_job_of_a_deleted_version_keeps_its_number(client: Client, model: str) -> None:
    job = client.http.get(f"/api/models/{model}/versions/2").json()["job"]
    delete(client, model, 2)
    shown = client.job(job)
    assert (shown.state, shown.version) == ("succeeded", 2)
    assert len(client.epochs(job)) == 5
    refused = problem(client.http.post(f"/api/jobs/{job}/verify"), 409)
    assert refused["code"] == "version_gone"
    last = client.http.get(f"/api/models/{model}/versions/3").json()["job"]
    assert problem(client.http.post(f"/api/jobs/{last}/verify"), 409)["code"] == "version_gone"  # it began from 2


def test_the_number_of_a_deleted_version_is_never_given_again(client: Client, model: str) -> None:
    client.http.patch(f"/api/models/{model}", json={"serving": 0}).raise_for_status()
    for version in (3, 2, 1):
        assert delete(client, model, version).status_code == 204
    assert client.http.get(f"/api/models/{model}").json()["version"] == 0
    assert put(client, model) == 4
    assert client.train(model, line(client).id, wait=30, **SLOW).version == 5
    after = client.http.get(f"/api/models/{model}/versions?limit=2").json()
    assert [each["version"] for each in after["items"]] == [5, 4]
    rest = client.http.get(f"/api/models/{model}/versions?after={after['next']}").json()
    assert [each["version"] for each in rest["items"]] == [0]


def test_a_page_goes_on_behind_a_version_that_was_deleted_meanwhile(client: Client, model: str) -> None:
    client.http.patch(f"/api/models/{model}", json={"serving": 0}).raise_for_status()
    cursor = client.http.get(f"/api/models/{model}/versions?limit=1").json()["next"]
    metrics = client.http.get(f"/api/models/{model}/metrics?limit=1").json()["next_trainings"]
    assert cursor == metrics == "3"
    assert delete(client, model, 3).status_code == 204
    rest = client.http.get(f"/api/models/{model}/versions?after={cursor}").json()["items"]
    assert [each["version"] for each in rest] == [2, 1, 0]
    rest = client.http.get(f"/api/models/{model}/metrics?after_training={metrics}").json()["trainings"]
    assert [each["version"] for each in rest] == [2]


def test_a_served_version_stays(client: Client, model: str) -> None:
    assert problem(delete(client, model, 3), 409)["code"] == "version_served"
    client.http.patch(f"/api/models/{model}", json={"serving": 1}).raise_for_status()
    assert problem(delete(client, model, 1), 409)["code"] == "version_served"
    assert delete(client, model, 3).status_code == 204


def test_an_only_version_stays(client: Client) -> None:
    model = straight(client).id
    assert problem(delete(client, model, 0), 409)["code"] == "only_version"
    put(client, model)
    assert delete(client, model, 0).status_code == 204
    assert problem(delete(client, model, 1), 409)["code"] == "only_version"
    assert client.http.delete(f"/api/models/{model}").status_code == 204


def test_a_version_stays_while_a_job_begins_from_it(client: Client, model: str) -> None:
    dataset = line(client).id
    with endless_job(client, model, dataset) as job:
        put(client, model)
        refused = problem(delete(client, model, job.recipe["from_version"]), 409)
        assert refused["code"] == "version_in_use"
        assert model in refused["detail"]
        assert delete(client, model, 1).status_code == 204
    assert delete(client, model, 3).status_code == 204


@pytest.mark.parametrize("version", ["9", "2147483647"])
def test_a_version_that_never_was_is_not_found(client: Client, untrained: str, version: str) -> None:
    refused = problem(delete(client, untrained, version), 404)
    assert "There is no version" in refused["detail"]


@pytest.mark.parametrize("version", ["-1", "latest", "2147483648", "1.5"])
def test_a_version_to_delete_is_a_number(client: Client, untrained: str, version: str) -> None:
    problem(delete(client, untrained, version), 422)


def test_a_version_is_shown_by_its_number(client: Client, model: str) -> None:
    path = f"/api/models/{model}/versions"
    listed = client.http.get(path).json()["items"]
    assert [client.http.get(f"{path}/{each['version']}").json() for each in listed] == listed
    assert [(each["version"], each["job"] is None) for each in listed] == [(3, False), (2, False), (1, True), (0, True)]


def test_predictions_meanwhile_are_answered_or_not_found(client: Client, model: str) -> None:
    client.http.patch(f"/api/models/{model}", json={"serving": 0}).raise_for_status()

    def predict(_: int) -> int:
        path = f"/api/models/{model}/predictions?version=1"
        return client.http.post(path, json={"inputs": [[1]]}).status_code

    with ThreadPoolExecutor(4) as threads:
        before = list(threads.map(predict, range(8)))
        during = [threads.submit(predict, index) for index in range(20)]
        deleted = threads.submit(delete, client, model, 1).result().status_code
        statuses = {each.result() for each in during}
    assert set(before) == {200}
    assert deleted == 204
    assert statuses <= {200, 404}
    assert predict(0) == 404
