"""The result of a job: the right parameters, the same each time, as the next version; or none when it diverges."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import problem
from tests.support.training import XS, YS, line, straight

START = [{"weight": [[0.5]], "bias": [-1]}]


def layers(client: Client, model: str, version: int | None = None) -> list[dict[str, Any]]:
    return client.parameters(model, version).layers


def descend(epochs: int, eta: float) -> tuple[np.ndarray[Any, Any], list[float]]:
    """Weight and bias, and the loss before each epoch and at the end, by the gradient of mse in float64."""
    x, y = np.array(XS), np.array(YS)
    w, b, losses = 0.5, -1.0, []
    for _ in range(epochs):
        error = w * x + b - y
        losses.append(float(np.mean(error**2)))
        w, b = w - eta * np.mean(2 * error * x), b - eta * np.mean(2 * error)
    losses.append(float(np.mean((w * x + b - y) ** 2)))
    return np.array([w, b]), losses


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_job_descends_the_gradient(client: Client, dtype: str) -> None:
    dataset = line(client, dtype=dtype)
    model = straight(client, dtype=dtype, parameters=START)
    job = client.train(model.id, dataset.id, wait=30, epochs=20, optimiser={"rule": "Descent", "eta": 0.05})

    (w, b), losses = descend(20, 0.05)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    (layer,) = layers(client, model.id)
    assert [layer["weight"][0][0], layer["bias"][0]] == pytest.approx([w, b], rel=tolerance)
    assert [report.train_loss for report in client.epochs(job.id)] == pytest.approx(losses, rel=tolerance)
    assert (job.initial_loss, job.final_loss) == pytest.approx((losses[0], losses[-1]), rel=tolerance)
    assert job.version == 1


def test_the_best_epoch_goes_by_the_validation_loss_where_there_is_one(client: Client) -> None:
    columns = {"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0, 1.0, 2.0, -30.0]}
    with_validation = client.create_dataset(columns, ["y"], split={"validation": {"last": 1}})
    model = straight(client, parameters=[{"weight": [[-5]], "bias": [0]}])
    recipe: dict[str, Any] = {"epochs": 30, "optimiser": {"rule": "Descent", "eta": 0.05}, "from_version": 0}
    job = client.train(model.id, with_validation.id, wait=30, **recipe)

    reports = client.epochs(job.id)
    losses = [report.validation_loss for report in reports if report.validation_loss is not None]
    assert len(losses) == len(reports) == 31
    assert job.best is not None
    assert (job.best.loss, job.best.epoch, job.best.of) == (min(losses), losses.index(min(losses)), "validation_loss")
    assert job.best.epoch < 30

    job = client.train(model.id, client.create_dataset(columns, ["y"]).id, wait=30, **recipe)
    trained = [report.train_loss for report in client.epochs(job.id)]
    assert {report.validation_loss for report in client.epochs(job.id)} == {None}
    assert job.best is not None
    assert (job.best.loss, job.best.of) == (min(trained), "train_loss")


def test_the_best_epoch_goes_by_the_loss_that_early_stopping_monitors(client: Client) -> None:
    dataset, model = line(client, split={"validation": {"last": 2}}), straight(client)
    stopping = {"monitor": "train_loss", "patience": 50}
    recipe: dict[str, Any] = {"epochs": 20, "optimiser": {"rule": "Descent", "eta": 0.05}}
    job = client.train(model.id, dataset.id, wait=30, early_stopping=stopping, **recipe)
    assert job.best is not None
    assert (job.best.loss, job.best.of) == (min(each.train_loss for each in client.epochs(job.id)), "train_loss")


def test_a_rate_that_is_too_high_fails_the_job_and_keeps_finite_parameters(client: Client) -> None:
    dataset, model = line(client), straight(client)
    job = client.train(model.id, dataset.id, wait=30, optimiser={"rule": "Descent", "eta": 1e6})

    assert (job.state, job.version, job.final_loss, job.ended_by) == ("failed", None, None, None)
    assert job.error is not None
    assert job.error.code == "diverged"
    assert job.error.epoch is not None
    assert 0 < job.error.epoch < 20
    shown = client.http.get(f"/api/models/{model.id}").json()
    assert (shown["version"], shown["versions"]) == (0, 1)

    left = client.http.get(f"/api/jobs/{job.id}/parameters")
    assert left.status_code == 200
    assert left.json()["job"] == job.id
    (layer,) = left.json()["layers"]
    assert all(map(math.isfinite, [layer["weight"][0][0], layer["bias"][0]]))
    reports = client.http.get(f"/api/jobs/{job.id}/epochs").json()["items"]
    assert len(reports) == job.error.epoch == job.epochs_done + 1
    assert all(math.isfinite(report["train_loss"]) for report in reports)


def test_the_last_finite_parameters_are_those_before_the_step_that_failed(client: Client) -> None:
    dataset, model = line(client), straight(client, parameters=START)
    job = client.train(model.id, dataset.id, wait=30, optimiser={"rule": "Descent", "eta": 1e6})
    (layer,) = client.http.get(f"/api/jobs/{job.id}/parameters").json()["layers"]

    left = [layer["weight"][0][0], layer["bias"][0]]
    assert job.epochs_done > 1
    # a loss may overflow a step before its parameters would
    steps = [descend(epochs, 1e6)[0] for epochs in (job.epochs_done, job.epochs_done + 1)]
    assert any(left == pytest.approx(step, rel=1e-4) for step in steps)


def test_a_job_that_added_a_version_leaves_its_parameters_there_alone(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, wait=30, epochs=1)
    refused = problem(client.http.get(f"/api/jobs/{job.id}/parameters"), 409)
    assert refused["code"] == "no_last_parameters"
    assert "succeeded" in refused["detail"]


def in_small_batches(client: Client, **change: Any) -> tuple[str, list[dict[str, Any]]]:
    """Parameters as text and reports without their seconds, of a training in mini-batches."""
    model = client.create_model("Chain(Dense(1 => 4, tanh), Dense(4 => 1))", seed=2)
    recipe = {"epochs": 7, "batch_size": 4, "shuffle": True, "seed": 9, "optimiser": {"rule": "Adam", "eta": 0.01}}
    job = client.train(model.id, line(client).id, wait=30, **{**recipe, **change})
    assert job.state == "succeeded"
    reports = [report.model_dump(exclude={"seconds"}) for report in client.epochs(job.id)]
    return client.http.get(f"/api/models/{model.id}/parameters").text, reports


def test_the_same_recipe_gives_the_same_bytes(client: Client) -> None:
    assert in_small_batches(client) == in_small_batches(client)


@pytest.mark.parametrize(
    "change", [{"seed": 10}, {"shuffle": False}, {"batch_size": 3}, {"partial": False}, {"epochs": 8}]
)
def test_each_part_of_the_recipe_matters(client: Client, change: dict[str, Any]) -> None:
    assert in_small_batches(client, **change)[0] != in_small_batches(client)[0]


@pytest.fixture
def trainings(client: Client) -> Callable[[int], list[Job]]:
    def run(count: int) -> list[Job]:
        """Post `count` jobs on one model without waiting."""
        dataset, model = line(client), straight(client)
        recipe: dict[str, Any] = {"epochs": 3, "optimiser": {"rule": "Descent", "eta": 0.05}, "from_version": 0}
        posted = [client.train(model.id, dataset.id, **recipe) for _ in range(count)]
        return [client.job(job.id, wait=60) for job in posted]

    return run


def test_jobs_that_train_one_model_at_once_add_a_version_each(
    client: Client, trainings: Callable[[int], list[Job]]
) -> None:
    jobs = trainings(12)

    assert {job.state for job in jobs} == {"succeeded"}
    assert sorted(job.version or 0 for job in jobs) == list(range(1, 13))
    assert {job.final_loss for job in jobs} == {jobs[0].final_loss}
    listed = client.http.get(f"/api/models/{jobs[0].model}/versions").json()["items"]
    assert {(version["version"], version["job"]) for version in listed if version["version"]} == {
        (job.version, job.id) for job in jobs
    }


def test_a_job_begins_from_the_version_that_it_names(client: Client) -> None:
    dataset, model = line(client), straight(client, parameters=START)
    recipe: dict[str, Any] = {"epochs": 5, "optimiser": {"rule": "Descent", "eta": 0.05}}
    first = client.train(model.id, dataset.id, wait=30, **recipe)
    second = client.train(model.id, dataset.id, wait=30, **recipe)
    again = client.train(model.id, dataset.id, wait=30, **recipe, from_version=0)

    assert [job.recipe["from_version"] for job in (first, second, again)] == [0, 1, 0]
    assert [job.version for job in (first, second, again)] == [1, 2, 3]
    assert second.initial_loss == pytest.approx(first.final_loss, rel=1e-6)
    assert layers(client, model.id, 3) == layers(client, model.id, 1) != layers(client, model.id, 2)


def test_the_latest_version_is_meant_as_it_was_at_the_post(client: Client) -> None:
    dataset, model = line(client), straight(client, parameters=START)
    job = client.train(model.id, dataset.id, epochs=5)
    client.http.put(f"/api/models/{model.id}/parameters", json={"layers": START}).raise_for_status()
    assert client.job(job.id, wait=30).recipe["from_version"] == 0
