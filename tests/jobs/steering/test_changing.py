"""Jobs that clients change and stop on their way, over HTTP."""

from typing import Any

import pytest

from service.client import Client
from tests.support.problems import problem
from tests.support.serving import RunningService, wait_for
from tests.support.training import all_workers_busy, endless_job, line, straight


def entries(client: Client, job: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.http.get(f"/api/jobs/{job}/log").json()["items"]
    return items


def test_a_running_job_gets_another_rate_and_says_where(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running:
        asked = client.change(running.id, rate=2e-9)
        assert asked.pending is None or asked.pending.rate == 2e-9
        wait_for(lambda: client.job(running.id).pending is None)
        (changed,) = (entry for entry in entries(client, running.id) if entry["event"] == "rate_changed")
        assert changed["epoch"] > 0
        assert "2e-09" in changed["detail"]
        wait_for(lambda: client.job(running.id).epochs_done > changed["epoch"] + 1)
        path = f"/api/jobs/{running.id}/epochs?from_epoch={changed['epoch']}&limit=3"
        before, *after = client.http.get(path).json()["items"]
        assert (before["rate"], {report["rate"] for report in after}) == (1e-9, {2e-9})


def test_a_running_job_freezes_and_thaws_layers(client: Client) -> None:
    model = client.create_model("Chain(Dense(1 => 3, tanh), Dense(3 => 1))").id
    with endless_job(client, model, line(client).id) as running:
        for frozen, said in ((["layers.0"], "layers.0 rest"), ([], "All layers train")):
            client.change(running.id, frozen=frozen)
            wait_for(lambda: client.job(running.id).pending is None)
            assert said in entries(client, running.id)[-1]["detail"]


def test_a_running_job_stops_and_keeps_a_version(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    with endless_job(client, model, dataset) as running:
        assert client.stop(running.id).asked in ("stop", None)
        stopped = client.job(running.id, wait=30)
        assert (stopped.state, stopped.ended_by, stopped.version) == ("succeeded", "stop", 1)
        assert client.stop(running.id) == stopped
        evaluated = client.evaluate(model, dataset, part="train")
        assert evaluated.loss == pytest.approx(stopped.final_loss, rel=1e-5)


def test_a_paused_job_gets_a_worker_to_stop(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running:
        client.pause(running.id)
        paused = client.job(running.id, wait=30)
        client.stop(running.id)
        stopped = client.job(running.id, wait=30)
        assert (stopped.state, stopped.ended_by) == ("succeeded", "stop")
        assert stopped.epochs_done >= paused.epochs_done


def test_a_job_that_has_not_begun_has_nothing_to_keep(client: Client, service: RunningService) -> None:
    with all_workers_busy(client, service):
        job = client.train(straight(client).id, line(client).id)
        refused = problem(client.http.post(f"/api/jobs/{job.id}/stop"), 409)
        assert refused["code"] == "nothing_to_keep"
        client.cancel(job.id)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no rate": ({"rate": 0}, "#/rate"),
    "a negative rate": ({"rate": -0.1}, "#/rate"),
    "a rate beyond float32": ({"rate": 1e39}, "#/rate"),
    "a text": ({"rate": "0.1"}, "#/rate"),
    "an unknown layer": ({"frozen": ["layers.5"]}, "#/frozen/0"),
    "all layers": ({"frozen": ["layers.0"]}, "#/frozen"),
    "another field": ({"lr": 0.1}, "#/lr"),
    "too much priority": ({"priority": 101}, "#/priority"),
}


def test_an_impossible_change_is_refused_with_its_place(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running:
        for name, (body, pointer) in FAULTS.items():
            refused = problem(client.http.patch(f"/api/jobs/{running.id}", json=body), 422)
            assert [fault["pointer"] for fault in refused["errors"]] == [pointer], name
            assert client.job(running.id).pending is None, name


def test_a_rule_without_a_rate_gets_none(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as busy:
        client.pause(busy.id)
        job = client.train(straight(client).id, line(client).id, epochs=10_000_000, optimiser={"rule": "AdaDelta"})
        refused = problem(client.http.patch(f"/api/jobs/{job.id}", json={"rate": 0.1}), 422)
        assert [fault["pointer"] for fault in refused["errors"]] == ["#/rate"]
        client.cancel(job.id)


def test_a_job_that_has_ended_is_not_changed(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, wait=30, epochs=1)
    bodies: tuple[dict[str, Any], ...] = ({"rate": 0.1}, {"priority": 1}, {"frozen": []})
    for body in bodies:
        assert problem(client.http.patch(f"/api/jobs/{job.id}", json=body), 409)["code"] == "job_ended"
    assert client.change(job.id) == job
    problem(client.http.patch(f"/api/jobs/job_{'0' * 26}", json={}), 404)


RECIPES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown layer": ({"frozen": ["layers.3"]}, "#/frozen/0"),
    "all layers": ({"frozen": ["layers.0"]}, "#/frozen"),
    "a rate beyond float32": ({"optimiser": {"rule": "Adam", "eta": 1e39}}, "#/optimiser/eta"),
    "such a rate in a chain": (
        {"optimiser": {"rule": "OptimiserChain", "rules": [{"rule": "ClipNorm"}, {"rule": "Adam", "eta": 1e39}]}},
        "#/optimiser/rules/1/eta",
    ),
    "a schedule beyond float32": ({"schedule": {"name": "Constant", "value": 1e39}}, "#/schedule"),
    "a factor of 1": ({"backoff": {"factor": 1}}, "#/backoff/factor"),
    "no tries": ({"backoff": {"tries": 0}}, "#/backoff/tries"),
    "no rate to lower": ({"backoff": {}, "optimiser": {"rule": "AdaDelta"}}, "#/backoff"),
    "no seconds": ({"max_seconds": 0}, "#/max_seconds"),
    "no attempts": ({"max_attempts": 0}, "#/max_attempts"),
}


@pytest.mark.parametrize(("recipe", "pointer"), RECIPES.values(), ids=RECIPES.keys())
def test_an_impossible_recipe_is_refused_with_its_place(client: Client, recipe: dict[str, Any], pointer: str) -> None:
    body = {"model": straight(client).id, "dataset": line(client).id, **recipe}
    refused = problem(client.http.post("/api/jobs", json=body), 422)
    assert [fault["pointer"] for fault in refused["errors"]] == [pointer]


def test_frozen_layers_stay_and_a_training_backs_off(client: Client) -> None:
    model = client.create_model("Chain(Dense(1 => 3, tanh), Dense(3 => 1))").id
    before = client.parameters(model).layers
    recipe: dict[str, Any] = {"optimiser": {"rule": "Descent", "eta": 50.0}, "backoff": {"factor": 0.001}}
    job = client.train(model, line(client).id, wait=30, epochs=50, frozen=["layers.0"], **recipe)
    assert (job.state, job.recipe["frozen"]) == ("succeeded", ["layers.0"])
    after = client.parameters(model).layers
    assert (after[0], after[1] != before[1]) == (before[0], True)
    assert "backed_off" in [entry["event"] for entry in entries(client, job.id)]
