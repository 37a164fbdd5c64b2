"""Rules of second order, over HTTP."""

import httpx
import numpy as np
import pytest

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
