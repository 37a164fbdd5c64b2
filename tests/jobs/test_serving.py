"""Jobs that say whether their version is to be served."""

from typing import Any

import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import problem
from tests.support.training import line, straight

BETTER: dict[str, Any] = {"epochs": 5, "optimiser": {"rule": "Descent", "eta": 0.02}}
WORSE: dict[str, Any] = {"epochs": 2, "optimiser": {"rule": "Descent", "eta": 0.2}}
START = [{"weight": [[1]], "bias": [0]}]
RISING = {"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0, 1.0, 2.0, -30.0]}


def codes(job: Job) -> list[str]:
    return [each.code for each in job.advice if each.code in ("worse_than_before", "version_not_served")]


def test_predictions_go_on_with_the_better_version(client: Client) -> None:
    model, dataset = straight(client, parameters=START).id, line(client).id
    first = client.train(model, dataset, wait=30, **BETTER, serve="if_better")
    second = client.train(model, dataset, wait=30, **WORSE, serve="if_better")
    assert (first.serve, first.version, codes(first)) == ("if_better", 1, [])
    assert (second.serve, second.version, codes(second)) == (
        "if_better",
        2,
        ["worse_than_before", "version_not_served"],
    )
    assert client.predict(model, [[1]]).version == client.evaluate(model, dataset, part="train").version == 1
    listed = client.http.get(f"/api/models/{model}/versions").json()["items"]
    assert [(each["serve"], each["refused"], each["served"]) for each in listed] == [
        ("if_better", True, False),
        ("if_better", False, True),
        ("always", False, False),
    ]
    remedy = {"serving": 2}
    assert '{"serving": 2}' in second.advice[-1].detail
    client.http.patch(f"/api/models/{model}", json=remedy).raise_for_status()
    assert client.predict(model, [[1]]).version == 2


def test_losses_on_the_validation_part_decide_where_there_is_one(client: Client) -> None:
    dataset = client.create_dataset(RISING, ["y"], split={"validation": {"last": 1}}).id
    model = straight(client, parameters=[{"weight": [[-5]], "bias": [0]}]).id
    job = client.train(model, dataset, wait=30, epochs=30, optimiser={"rule": "Descent", "eta": 0.1}, serve="if_better")
    assert job.final_loss is not None
    assert job.initial_loss is not None
    assert job.final_loss < job.initial_loss
    assert codes(job) == ["worse_than_before", "version_not_served"]
    losses = [
        client.evaluate(model, dataset, part="validation", version=version, loss="mse").loss for version in (0, 1)
    ]
    assert all(f"{loss:.6g}" in job.advice[-1].detail for loss in losses)
    best = client.train(model, dataset, wait=30, epochs=30, from_version=0, keep="best", serve="if_better")
    assert codes(best) == ["version_not_served"]  # the best are those it began from


def test_a_served_version_is_compared_by_the_names_of_its_columns(client: Client) -> None:
    columns = {"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 0.0, 1.0], "y": [10.0, 12.0, 14.0, 16.0]}
    swapped = {"b": columns["b"], "a": columns["a"], "y": columns["y"]}
    others = {"c": columns["b"], "d": columns["a"], "y": columns["y"]}
    ids = [client.create_dataset(each, ["y"]).id for each in (columns, swapped, others)]
    model = client.create_model("Dense(2 => 1)", seed=1).id
    recipe: dict[str, Any] = {"optimiser": {"rule": "Descent", "eta": 0.05}, "from_version": 0, "serve": "if_better"}
    first = client.train(model, ids[0], wait=30, **recipe, epochs=400)
    few = client.train(model, ids[1], wait=30, **recipe, epochs=20)
    many = client.train(model, ids[1], wait=30, **recipe, epochs=900)
    strange = client.train(model, ids[2], wait=30, **recipe, epochs=1500)
    assert [codes(job) for job in (first, few, many, strange)] == [
        [],
        ["version_not_served"],
        [],
        ["version_not_served"],
    ]
    assert f"{first.final_loss:.6g}" in few.advice[-1].detail
    assert "other columns" in strange.advice[-1].detail
    assert client.http.get(f"/api/models/{model}").json()["served"] == 3


def test_the_remedies_of_advice_work_as_they_stand(client: Client) -> None:
    model, dataset = straight(client, parameters=START).id, line(client).id
    client.train(model, dataset, wait=30, **BETTER)
    worse = client.train(model, dataset, wait=30, **WORSE)
    (advice,) = [each for each in worse.advice if each.code == "worse_than_before"]
    assert f'PATCH /api/models/{model} {{"serving": 1}}' in advice.detail
    assert client.http.patch(f"/api/models/{model}", json={"serving": 1}).json()["served"] == 1
    pinned = client.train(model, dataset, wait=30, **BETTER, from_version=1)
    assert codes(pinned) == ["version_not_served"]
    assert '{"serving": 3}' in pinned.advice[-1].detail
    assert '{"serving": "latest"}' in pinned.advice[-1].detail
    assert client.http.patch(f"/api/models/{model}", json={"serving": "latest"}).json()["served"] == 3


def test_a_verification_has_no_advice_about_a_version(client: Client) -> None:
    model, dataset = straight(client, parameters=START).id, line(client).id
    client.train(model, dataset, wait=30, **BETTER)
    worse = client.train(model, dataset, wait=30, **WORSE, serve="if_better")
    found = client.http.post(f"/api/jobs/{worse.id}/verify").json()
    assert found["identical"]
    again = client.job(found["job"])
    assert (again.state, again.version, codes(again)) == ("succeeded", None, [])
    assert client.http.get(f"/api/models/{model}").json()["versions"] == 3


@pytest.mark.parametrize("value", ["better", "Always", None, True, 1])
def test_an_unknown_wish_is_refused(client: Client, value: Any) -> None:
    body = {"model": straight(client).id, "dataset": line(client).id, "serve": value}
    refused = problem(client.http.post("/api/jobs", json=body), 422)
    assert [each["pointer"] for each in refused["errors"]] == ["#/serve"]
