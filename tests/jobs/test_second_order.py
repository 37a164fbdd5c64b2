"""Rules of second order, over HTTP."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from service.client import Client
from service.errors import Invalid
from service.jobs.checks.memory import Need
from service.learning.losses import MSE
from service.learning.optimisers import LBFGS, LevenbergMarquardt
from service.learning.training.recipe import Recipe
from tests.support.learning.networks import network


def tutorial(http: httpx.Client) -> dict[str, str]:
    """The tutorial's data, and its line from W = 0.9066542."""
    data = {"columns": {"x": list(range(6)), "y": [4 * x + 2 for x in range(6)]}, "targets": ["y"]}
    model = {"architecture": "Dense(1 => 1)", "parameters": [{"weight": [[0.9066542]], "bias": [0]}]}
    return {
        "dataset": http.post("/api/datasets", json=data).json()["id"],
        "model": http.post("/api/models", json=model).json()["id"],
    }


@pytest.mark.parametrize("path", ["quadratic", "second_order"])
def test_the_tutorial_is_over_after_three_passes(http: httpx.Client, path: str) -> None:
    job = {**tutorial(http), "epochs": 3, "optimiser": "LevenbergMarquardt", "path": path}
    ended = http.post("/api/jobs", json=job, headers={"Prefer": "wait=30"}).json()
    assert (ended["state"], ended["path"], ended["epochs_done"]) == ("succeeded", path, 3)
    (line,) = http.get(f"/api/models/{job['model']}/parameters").json()["layers"]
    assert np.allclose([line["weight"][0][0], line["bias"][0]], [4, 2], rtol=0, atol=1e-6)
    reports = http.get(f"/api/jobs/{ended['id']}/epochs").json()["items"]
    assert [report["rate"] for report in reports] == [None] * 4


def test_steps_that_find_their_length_have_no_rate_to_change(http: httpx.Client) -> None:
    job = {**tutorial(http), "epochs": 10_000_000, "optimiser": {"rule": "LBFGS"}}
    created = http.post("/api/jobs", json=job).json()
    refused = http.patch(f"/api/jobs/{created['id']}", json={"rate": 0.1})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_rate")
    http.post(f"/api/jobs/{created['id']}/cancel")


def test_a_refusal_names_the_remedy(http: httpx.Client) -> None:
    asked = {**tutorial(http), "optimiser": "LBFGS", "batch_size": 2}
    refused = http.post("/api/jobs?validate_only=true", json=asked)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/batch_size")
    assert '"batch_size": null' in refused.json()["detail"]


def test_squares_that_a_worker_has_no_room_for_are_refused() -> None:
    net = network("Chain(Dense(100 => 100, tanh), Dense(100 => 1))", "float32")
    recipe = Recipe(loss=MSE(), optimiser=LevenbergMarquardt(), epochs=1)
    need = Need(net, 1000, 0, recipe, "second_order", weighted=False, sums_are_known=False)
    with pytest.raises(Invalid) as refused:
        need.check(1_000_000_000)
    assert "10,201 parameters" in str(refused.value)
    assert '"optimiser": "LBFGS"' in str(refused.value)
    Need(net, 1000, 0, Recipe(loss=MSE(), optimiser=LBFGS(), epochs=1), "second_order", False, False).check(
        1_000_000_000
    )


@pytest.fixture(scope="module")
def wave(client: Client) -> dict[str, Any]:
    """A job that learns a sine under noise by Adam from all rows, again and again."""
    x = np.linspace(-3, 3, 100)
    return {
        "dataset": client.create_dataset({"x": x.tolist(), "y": (np.sin(x) + 0.1 * np.cos(41 * x)).tolist()}, ["y"]).id,
        "model": client.create_model("Chain(Dense(1 => 8, tanh), Dense(8 => 1))").id,
        "optimiser": {"rule": "Adam", "eta": 0.01},
        "epochs": 5000,
    }


def planned(http: httpx.Client, job: dict[str, Any]) -> list[dict[str, str]]:
    answer = http.post("/api/jobs?validate_only=true", json=job)
    assert answer.status_code == 200, answer.text
    return [each for each in answer.json()["advice"] if each["code"] == "second_order_fits"]


def test_many_passes_over_few_rows_are_advised_to_be_steps(
    client: Client, http: httpx.Client, wave: dict[str, Any]
) -> None:
    (said,) = planned(http, wave)
    assert said["pointer"] == "#/optimiser"
    remedy = json.loads("{" + said["detail"].partition("in less time: ")[2].rstrip(".") + "}")
    assert remedy == {"optimiser": {"rule": "LevenbergMarquardt"}, "epochs": 250}
    assert planned(http, {**wave, **remedy}) == []
    losses = []
    for job in (wave, {**wave, **remedy}):
        model = client.create_model("Chain(Dense(1 => 8, tanh), Dense(8 => 1))", seed=1).id
        ended = http.post("/api/jobs", json={**job, "model": model}, headers={"Prefer": "wait=30"}).json()
        losses.append(ended["final_loss"])
    assert losses[1] < losses[0]


@pytest.mark.parametrize(
    ("architecture", "loss"),
    [
        ("Chain(Dense(1 => 40, tanh), Dense(40 => 1))", "mse"),
        ("Chain(Dense(1 => 8, tanh), Dense(8 => 1))", "huber_loss"),
    ],
)
def test_larger_networks_and_other_smooth_losses_are_advised_to_search(
    client: Client, http: httpx.Client, wave: dict[str, Any], architecture: str, loss: str
) -> None:
    job = {**wave, "model": client.create_model(architecture).id, "loss": loss}
    (told,) = planned(http, job)
    remedy = json.loads("{" + told["detail"].partition(" of all rows: ")[2].rstrip(".") + "}")
    assert remedy == {"optimiser": {"rule": "LBFGS"}, "epochs": 2500}
    assert planned(http, {**job, **remedy}) == []


@pytest.mark.parametrize(
    "chosen",
    [
        {"epochs": 999},
        {"batch_size": 10},
        {"schedule": {"name": "Exp", "start": 0.1, "decay": 0.99}},
        {"optimiser": {"rule": "AdamW", "eta": 0.01, "lambda": 0.01}},
        {"optimiser": {"rule": "OptimiserChain", "rules": [{"rule": "ClipNorm"}, {"rule": "Adam"}]}},
        {"loss": "mae"},
        {"path": "batches"},
    ],
)
def test_what_somebody_chose_or_steps_cannot_learn_gets_no_such_advice(
    http: httpx.Client, wave: dict[str, Any], chosen: dict[str, Any]
) -> None:
    assert planned(http, {**wave, **chosen}) == []


@pytest.mark.parametrize(
    "architecture",
    [
        "Dense(1 => 1)",
        "Chain(Dense(1 => 8, relu), Dense(8 => 1))",
        "Chain(Dense(1 => 8, tanh), Dropout(0.1), Dense(8 => 1))",
    ],
)
def test_networks_that_steps_suit_less_get_no_such_advice(
    client: Client, http: httpx.Client, wave: dict[str, Any], architecture: str
) -> None:
    assert planned(http, {**wave, "model": client.create_model(architecture).id}) == []
