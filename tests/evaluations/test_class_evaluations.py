"""Evaluations on targets that are classes, by a version's labels and probabilities."""

from typing import Any

import pytest

from service.client import Client
from service.datasets.schemas import Dataset
from service.models.schemas import Model

X = [0.0, 1.0, 2.0, 3.0]
FRUIT = ["lime", "lime", "plum", "fig"]
RIPE = [False, True, True, False]


def fruits(client: Client, **columns: Any) -> Dataset:
    """x, and these columns as targets."""
    return client.create_dataset({"x": X, **columns}, list(columns))


def fixed(client: Client, weight: list[float], bias: list[float]) -> Model:
    """A network of x alone, with these parameters."""
    layer = {"weight": [[value] for value in weight], "bias": bias}
    return client.create_model(f"Dense(1 => {len(weight)})", parameters=[layer], dtype="float64")


def evaluate(client: Client, model: Model, dataset: Dataset, **more: Any) -> dict[str, Any]:
    return client.evaluate(model.id, dataset.id, part="train", **more).model_dump()


def test_a_categorical_target_is_judged_by_its_labels(client: Client) -> None:
    # classes in order: fig, lime, plum; the scores are fig 2x, lime 3, plum 2
    found = evaluate(client, fixed(client, [2, 0, 0], [0, 3, 2]), fruits(client, fruit=FRUIT))["metrics"]

    assert found["accuracy"] == pytest.approx(3 / 4)
    assert found["confusion_matrix"] == [[1, 0, 0], [0, 2, 0], [1, 0, 0]]
    assert [each["class"] for each in found["per_class"]] == ["fig", "lime", "plum"]
    assert [each["support"] for each in found["per_class"]] == [1, 2, 1]
    assert found["log_loss"] is None, "mse makes no probabilities"


def test_probabilities_come_by_the_loss_of_the_versions_job(client: Client) -> None:
    dataset = fruits(client, fruit=FRUIT)
    model = client.create_model("Dense(1 => 3)", dtype="float64")
    job = client.train(model.id, dataset.id, wait=30, epochs=50, loss="logitcrossentropy")

    trained = evaluate(client, model, dataset)
    assert trained["loss"] == job.final_loss
    assert trained["metrics"]["log_loss"] == pytest.approx(job.final_loss)
    assert evaluate(client, model, dataset, loss="mse")["metrics"] == trained["metrics"]
    begun = evaluate(client, model, dataset, version=0, loss="logitcrossentropy")
    assert begun["metrics"]["log_loss"] == pytest.approx(job.initial_loss)


def test_a_boolean_target_is_judged_by_the_side_of_one_half(client: Client) -> None:
    model, dataset = fixed(client, [0.4], [0]), fruits(client, ripe=RIPE)
    found = evaluate(client, model, dataset, residuals=4)
    assert found["metrics"]["confusion_matrix"] == [[1, 1], [1, 1]]
    assert [each["class"] for each in found["metrics"]["per_class"]] == [False, True]
    assert [(row["row"], row["targets"]) for row in found["residuals"]] == [
        (3, [False]), (1, [True]), (2, [True]), (0, [False])
    ]  # fmt: skip


def test_several_targets_are_judged_each_under_its_name(client: Client) -> None:
    dataset = fruits(client, fruit=FRUIT, ripe=RIPE, weight=[1.0, 2.0, 3.0, 4.0])
    model = fixed(client, [2, 0, 0, 0.4, 1], [0, 3, 2, 0, 1])
    found = evaluate(client, model, dataset, residuals=1)

    assert set(found["metrics"]) == {"fruit", "ripe", "weight"}
    assert found["metrics"]["fruit"]["accuracy"] == pytest.approx(3 / 4)
    assert found["metrics"]["ripe"]["accuracy"] == pytest.approx(2 / 4)
    assert found["metrics"]["weight"]["mse"] == 0
    (row,) = found["residuals"]
    assert row["targets"] == [FRUIT[row["row"]], RIPE[row["row"]], row["row"] + 1]
