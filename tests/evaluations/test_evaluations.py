"""Evaluations: loss and metrics of a version on a part of a dataset, kept and listed."""

from typing import Any

import numpy as np
import pytest

from service.client import Client
from tests.support.pages import walk
from tests.support.problems import pointers, problem
from tests.support.training import XS, YS, line, straight

SHARES = {"x": [-1.0, 0.5, 2.0], "a": [1.0, 0.0, 0.0], "b": [0.0, 1.0, 1.0]}


def test_loss_and_metrics_are_what_their_definitions_give(client: Client) -> None:
    dataset = line(client, split={"test": {"last": 4}}, dtype="float64")
    model = straight(client, parameters=[{"weight": [[3.5]], "bias": [2.5]}], dtype="float64")
    answer = client.http.post(f"/api/models/{model.id}/evaluations", json={"dataset": dataset.id})

    assert answer.status_code == 201
    evaluation = answer.json()
    assert answer.headers["location"] == f"/api/models/{model.id}/evaluations/{evaluation['id']}"
    assert client.http.get(answer.headers["location"]).json() == evaluation
    assert (evaluation["model"], evaluation["dataset"]) == (model.id, dataset.id)
    assert (evaluation["version"], evaluation["part"], evaluation["rows"]) == (0, "test", 4)

    x, y = np.array(XS[2:]), np.array(YS[2:])
    error = 3.5 * x + 2.5 - y
    assert evaluation["loss"] == pytest.approx(np.mean(error**2))
    assert evaluation["metrics"] == pytest.approx(
        {
            "mse": np.mean(error**2),
            "rmse": np.sqrt(np.mean(error**2)),
            "mae": np.mean(np.abs(error)),
            "r2": 1 - np.sum(error**2) / np.sum((y - y.mean()) ** 2),
            "max_error": np.max(np.abs(error)),
            "explained_variance": 1 - np.var(error) / np.var(y),
        }
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dataset_dtype", ["float32", "float64"])
@pytest.mark.parametrize("recipe", [{"epochs": 20}, {"epochs": 3, "batch_size": 4, "shuffle": True}])
def test_the_final_loss_of_a_job_is_what_an_evaluation_on_train_gives(
    client: Client, dtype: str, dataset_dtype: str, recipe: dict[str, Any]
) -> None:
    xs = [0.1, 0.7, 1.3, 2.9, 3.1, 4.4, 5.2]
    columns = {"x": xs, "y": [4 * x + 2.1 for x in xs]}
    dataset = client.create_dataset(columns, ["y"], dtype=dataset_dtype, split={"test": {"first": 1}})
    model = client.create_model("Chain(Dense(1 => 5, tanh), Dense(5 => 1))", dtype=dtype)
    job = client.train(model.id, dataset.id, wait=30, optimiser={"rule": "Descent", "eta": 0.01}, **recipe)

    evaluation = client.evaluate(model.id, dataset.id, part="train")
    assert evaluation.version == job.version
    assert evaluation.loss == job.final_loss


def cross_entropy(layer: dict[str, Any]) -> float:
    scores = np.array(SHARES["x"])[:, None] * np.array(layer["weight"]).T + np.array(layer["bias"])
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    targets = np.column_stack([SHARES["a"], SHARES["b"]])
    return float(-(targets * logs).sum(axis=1).mean())


def test_the_loss_is_that_of_the_versions_job_unless_another_is_asked_for(client: Client) -> None:
    dataset = client.create_dataset(SHARES, ["a", "b"], dtype="float64")
    model = client.create_model("Dense(1 => 2)", dtype="float64")
    job = client.train(model.id, dataset.id, wait=30, epochs=5, loss="logitcrossentropy")
    (layer,) = client.parameters(model.id).layers

    trained = client.evaluate(model.id, dataset.id, part="train")
    assert trained.loss == job.final_loss == pytest.approx(cross_entropy(layer))
    squared = client.evaluate(model.id, dataset.id, part="train", loss="mse")
    assert squared.loss == pytest.approx(squared.metrics["mse"])
    untrained = client.evaluate(model.id, dataset.id, part="train", version=0)
    assert untrained.loss == pytest.approx(untrained.metrics["mse"])


def test_parameters_that_came_of_a_training_are_judged_as_its_version(client: Client) -> None:
    """A copy has no job, nor has a version with given parameters; loss and weights are what they were."""
    columns = {**SHARES, "w": [1.0, 2.0, 0.5]}
    dataset = client.create_dataset(columns, ["a", "b"])
    model = client.create_model("Dense(1 => 2)")
    client.train(model.id, dataset.id, wait=30, epochs=5, loss="logitcrossentropy", sample_weights="w")
    trained = client.evaluate(model.id, dataset.id, part="train")

    copy = client.http.post("/api/models", json={"from": {"model": model.id}}).json()["id"]
    layers = client.http.get(f"/api/models/{model.id}/parameters").json()["layers"]
    assert client.http.put(f"/api/models/{model.id}/parameters", json={"layers": layers}).status_code == 201
    for same in (client.evaluate(copy, dataset.id, part="train"), client.evaluate(model.id, dataset.id, part="train")):
        assert (same.loss, same.metrics) == (trained.loss, trained.metrics)
    rows = {"dataset": dataset.id, "part": "train"}
    assert client.http.post(f"/api/models/{copy}/predictions", json=rows).status_code == 200


def test_what_cannot_be_said_of_one_row_or_of_infinity_is_null(client: Client) -> None:
    dataset = line(client, split={"test": {"last": 1}})
    one = client.evaluate(straight(client).id, dataset.id)
    assert (one.rows, one.metrics["r2"]) == (1, None)

    steep = straight(client, parameters=[{"weight": [[3e38]], "bias": [0]}])
    overflow = client.evaluate(steep.id, dataset.id)
    assert overflow.loss is None


def test_evaluations_are_listed_newest_first_and_counted_into_the_metrics(client: Client) -> None:
    dataset, model, other = line(client, split={"test": {"last": 2}}), straight(client), straight(client)
    client.evaluate(other.id, dataset.id)
    job = client.train(model.id, dataset.id, wait=30, epochs=2)
    made = [client.evaluate(model.id, dataset.id, part=part, version=v) for part in ("train", "test") for v in (0, 1)]

    newest_first = [evaluation.model_dump(mode="json") for evaluation in reversed(made)]
    pages = list(walk(client.http, f"/api/models/{model.id}/evaluations", limit=3))
    assert [len(page) for page in pages] == [3, 1]
    assert [evaluation for page in pages for evaluation in page] == newest_first
    metrics = client.http.get(f"/api/models/{model.id}/metrics").json()
    assert metrics["evaluations"] == newest_first
    (training,) = metrics["trainings"]
    assert (training["job"], training["version"], training["epochs"]) == (job.id, 1, 2)
    assert (training["initial_loss"], training["final_loss"]) == (job.initial_loss, job.final_loss)
    assert training["recipe"] == job.recipe
    assert training["dataset"] == dataset.id
    assert [report["epoch"] for report in training["curve"]] == [0, 1, 2]
    assert job.receipt is not None
    assert training["receipt"] == job.receipt.model_dump(mode="json")


def test_the_curve_of_a_training_is_thinned_and_keeps_its_peaks(client: Client) -> None:
    model, dataset = straight(client), line(client)
    job = client.train(
        model.id, dataset.id, wait=30, epochs=5000, optimiser={"rule": "Momentum", "eta": 0.05, "rho": 0.95}
    )
    (training,) = client.http.get(f"/api/models/{model.id}/metrics").json()["trainings"]
    losses = [report.train_loss for report in client.epochs(job.id)]
    seen = [report["train_loss"] for report in training["curve"]]
    assert 100 < len(seen) <= 202
    assert (seen[0], seen[-1]) == (losses[0], losses[-1])
    assert (max(seen), min(seen)) == (max(losses), min(losses))


def test_what_a_job_kept_on_its_way_is_evaluated_by_epoch(client: Client) -> None:
    dataset, model = line(client), straight(client)
    recipe: dict[str, Any] = {"optimiser": {"rule": "Descent", "eta": 0.05}, "from_version": 0}
    client.train(model.id, dataset.id, wait=30, epochs=6, keep_every=2, **recipe)
    shorter = client.train(model.id, dataset.id, wait=30, epochs=4, **recipe)

    kept = client.evaluate(model.id, dataset.id, part="train", version=1, epoch=4)
    assert (kept.version, kept.epoch) == (1, 4)
    whole = client.evaluate(model.id, dataset.id, part="train", version=shorter.version)
    assert whole.epoch is None
    assert (kept.loss, kept.metrics) == (whole.loss, whole.metrics)


def test_the_rows_that_are_farthest_off_come_worst_first(client: Client) -> None:
    dataset = line(client, split={"test": {"first": 3}})
    model = straight(client, parameters=[{"weight": [[0.1]], "bias": [0]}])
    worst = client.evaluate(model.id, dataset.id, part="train", residuals=2).residuals
    assert worst is not None
    assert [row.model_dump() for row in worst] == [
        {"row": 5, "outputs": [0.5], "targets": [22], "residual": 21.5},
        {"row": 4, "outputs": [0.4], "targets": [18], "residual": 17.6},
    ]
    every = client.evaluate(model.id, dataset.id, part="train", residuals=1000).residuals
    assert every is not None
    assert [row.row for row in every] == [5, 4, 3]
    assert client.evaluate(model.id, dataset.id, part="train").residuals is None


def test_an_evaluation_belongs_to_its_model(client: Client) -> None:
    dataset, model, other = line(client), straight(client), straight(client)
    evaluation = client.evaluate(model.id, dataset.id, part="train")
    problem(client.http.get(f"/api/models/{other.id}/evaluations/{evaluation.id}"), 404)
    problem(client.http.get(f"/api/models/{model.id}/evaluations/ev_{'0' * 26}"), 404)


def test_an_evaluation_outlives_its_dataset(client: Client) -> None:
    dataset, model = line(client), straight(client)
    evaluation = client.evaluate(model.id, dataset.id, part="train")
    assert client.http.delete(f"/api/datasets/{dataset.id}").status_code == 204
    kept = client.http.get(f"/api/models/{model.id}/evaluations/{evaluation.id}").json()
    assert kept == evaluation.model_dump(mode="json")


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"part": "all"}, 422, "#/part"),
        ({"part": "test"}, 422, "#/part"),
        ({"version": -1}, 422, "#/version"),
        ({"version": "0"}, 422, "#/version"),
        ({"version": 5}, 404, "#/version"),
        ({"loss": "msee"}, 422, "#/loss"),
        ({"dataset": "nothing"}, 404, "#/dataset"),
        ({"rows": 3}, 422, "#/rows"),
        ({"epoch": 3}, 404, "#/epoch"),
        ({"epoch": 0}, 422, "#/epoch"),
        ({"residuals": -1}, 422, "#/residuals"),
        ({"residuals": 1001}, 422, "#/residuals"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(client: Client, change: dict[str, Any], status: int, pointer: str) -> None:
    body = {"dataset": line(client).id, "part": "train", **change}
    answer = client.http.post(f"/api/models/{straight(client).id}/evaluations", json=body)
    assert [error["pointer"] for error in problem(answer, status)["errors"]] == [pointer]


def test_a_model_whose_widths_differ_is_refused_with_both(client: Client) -> None:
    dataset, wide = line(client), client.create_model("Dense(2 => 3)")
    answer = client.http.post(f"/api/models/{wide.id}/evaluations", json={"dataset": dataset.id})
    assert pointers(answer) == ["#/dataset"]
    assert "2 inputs to 3 outputs" in answer.json()["detail"]
    assert "1 inputs and 1 outputs" in answer.json()["detail"]
