"""Predictions: the raw outputs of a version, for rows that are given or a part of a dataset."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from service.client import Client
from service.http.json_numbers import Array
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

RANDOM = np.random.default_rng(4)
LAYERS = [
    {"weight": RANDOM.normal(size=(5, 3)).tolist(), "bias": RANDOM.normal(size=5).tolist()},
    {"weight": RANDOM.normal(size=(2, 5)).tolist(), "bias": RANDOM.normal(size=2).tolist()},
]
INPUTS = RANDOM.normal(size=(7, 3)).tolist()
STEEP = [{"weight": [[3e38]], "bias": [0]}]


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


def by_hand(activation: str) -> Array:
    first, second = ({name: np.array(values) for name, values in layer.items()} for layer in LAYERS)
    hidden = ACTIVATIONS[activation](np.array(INPUTS) @ first["weight"].T + first["bias"])
    outputs: Array = hidden @ second["weight"].T + second["bias"]
    return outputs


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
def test_outputs_are_what_the_formula_gives(client: Client, activation: str, dtype: str, tolerance: float) -> None:
    text = f"Chain(Dense(3 => 5, {activation}), Dense(5 => 2))"
    model = client.create_model(text, parameters=LAYERS, dtype=dtype)
    predicted = client.predict(model.id, INPUTS)

    assert (predicted.model, predicted.version) == (model.id, 0)
    np.testing.assert_allclose(predicted.outputs, by_hand(activation), rtol=tolerance, atol=tolerance)


def test_softmax_gives_shares_of_each_row(client: Client) -> None:
    model = client.create_model("Chain(Dense(3 => 4), softmax)", seed=1)
    outputs = np.array(client.predict(model.id, [*INPUTS, [1e4, -1e4, 0]]).outputs)
    assert outputs.shape == (8, 4)
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-6)
    assert (outputs >= 0).all()


def test_a_row_does_not_depend_on_its_neighbours(client: Client) -> None:
    model = client.create_model("Chain(Dense(3 => 5, tanh), Dense(5 => 2))", parameters=LAYERS)
    together = client.predict(model.id, INPUTS).outputs
    alone = [client.predict(model.id, [row]).outputs[0] for row in INPUTS]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_a_model_predicts_before_and_after_training_and_by_version(client: Client) -> None:
    dataset = line(client)
    model = straight(client, name="forecaster", parameters=[{"weight": [[2]], "bias": [1]}])
    assert client.predict("forecaster", [[6], [-1]]).outputs == [[13], [-1]]

    job = client.train(model.id, dataset.id, wait=30, epochs=1000, optimiser={"rule": "Descent", "eta": 0.05})
    trained = client.predict("forecaster", [[6], [-1]])
    assert (trained.model, trained.version) == (model.id, job.version)
    np.testing.assert_allclose(trained.outputs, [[26], [-2]], rtol=1e-3)
    old = client.predict(model.id, [[6], [-1]], version=0)
    assert (old.version, old.outputs) == (0, [[13], [-1]])
    client.http.delete("/api/models/forecaster")


def test_float32_outputs_have_the_fewest_digits_that_give_them_back(http: httpx.Client) -> None:
    body = {"architecture": "Dense(1 => 1)", "parameters": [{"weight": [[0.1]], "bias": [0]}]}
    model = http.post("/api/models", json=body).json()["id"]
    assert '"outputs":[[0.1]]' in http.post(f"/api/models/{model}/predictions", json={"inputs": [[1]]}).text


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dataset_dtype", ["float32", "float64"])
def test_a_part_of_a_dataset_is_predicted_row_by_row(client: Client, dtype: str, dataset_dtype: str) -> None:
    dataset = line(client, split={"test": {"last": 2}, "validation": {"first": 1}}, dtype=dataset_dtype)
    model = straight(client, parameters=[{"weight": [[10]], "bias": [1]}], dtype=dtype)
    path = f"/api/models/{model.id}/predictions"

    for part, outputs in (("train", [[11], [21], [31]]), ("validation", [[1]]), ("test", [[41], [51]])):
        answer = client.http.post(path, json={"dataset": dataset.id, "part": part})
        assert answer.status_code == 200
        assert answer.json()["outputs"] == outputs
    assert client.http.post(path, json={"dataset": dataset.id}).json()["outputs"] == [[41], [51]]


def test_a_dataset_that_does_not_fit_is_refused(client: Client) -> None:
    dataset, wide = line(client), client.create_model("Dense(2 => 1)")
    path = f"/api/models/{wide.id}/predictions"
    assert pointers(client.http.post(path, json={"dataset": dataset.id, "part": "train"})) == ["#/dataset"]
    answer = client.http.post(f"/api/models/{straight(client).id}/predictions", json={"dataset": dataset.id})
    assert pointers(answer) == ["#/part"]
    assert "no rows" in answer.json()["detail"]
    unknown = problem(client.http.post(path, json={"dataset": "nothing"}), 404)
    assert [error["pointer"] for error in unknown["errors"]] == ["#/dataset"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"inputs": [[1]], "dataset": "line"}, "#"),
        ({"inputs": [[1]], "part": "test"}, "#"),
        ({"part": "test"}, "#"),
        ({"inputs": None}, "#/inputs"),
        ({"inputs": [1]}, "#/inputs/0"),
        ({"inputs": [[]]}, "#/inputs/0"),
        ({"inputs": {"x": [1]}}, "#/inputs"),
        ({"inputs": [[1], [None]]}, "#/inputs/1/0"),
        ({"dataset": "line", "part": "all"}, "#/part"),
        ({"outputs": [[1]], "inputs": [[1]]}, "#/outputs"),
    ],
)
def test_what_cannot_be_computed_is_refused(client: Client, body: dict[str, Any], pointer: str) -> None:
    model = straight(client)
    assert pointers(client.http.post(f"/api/models/{model.id}/predictions", json=body)) == [pointer]


def test_outputs_of_a_dataset_that_overflow_are_refused(client: Client) -> None:
    dataset, model = line(client), straight(client, parameters=STEEP)
    body = {"dataset": dataset.id, "part": "train"}
    answer = client.http.post(f"/api/models/{model.id}/predictions", json=body)
    assert pointers(answer) == ["#/part"]
    assert "row 2" in answer.json()["detail"]


def test_unknown_models_and_versions_are_404(client: Client) -> None:
    problem(client.http.post("/api/models/nobody/predictions", json={"inputs": [[1]]}), 404)
    model = straight(client)
    path = f"/api/models/{model.id}/predictions?version"
    problem(client.http.post(f"{path}=1", json={"inputs": [[1]]}), 404)
    assert pointers(client.http.post(f"{path}=-1", json={"inputs": [[1]]})) == ["query/version"]
