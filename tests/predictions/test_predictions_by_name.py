"""Rows by the names of the columns that a version was trained on, and its answers about classes."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.predictions.columns import COLUMNS, EXPANDED, LAYER, ROW, train
from tests.support.problems import pointers, problem

WEIGHT, BIAS = np.array(LAYER["weight"]), np.array(LAYER["bias"])


@pytest.fixture(scope="module")
def job(client: Client) -> Job:
    return train(client)


def ask(client: Client, job: Job, body: dict[str, Any]) -> httpx.Response:
    return client.http.post(f"/api/models/{job.model}/predictions", json=body)


def rows(client: Client, job: Job, *given: dict[str, Any]) -> dict[str, Any]:
    answer = ask(client, job, {"rows": list(given)})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def test_rows_by_name_are_those_numbers_of_the_expanded_columns(client: Client, job: Job) -> None:
    named = rows(client, job, ROW, {"place": "c", "wild": False, "length": 6})
    expected = np.array([EXPANDED, [6, 0, 0, 0, 1]]) @ WEIGHT.T + BIAS
    np.testing.assert_allclose(named["outputs"], expected, rtol=1e-6)
    numbers = ask(client, job, {"inputs": [EXPANDED, [6, 0, 0, 0, 1]]}).json()
    assert named == numbers


def test_a_class_target_has_labels_and_probabilities_beside_raw_outputs(client: Client, job: Job) -> None:
    answer = rows(client, job, ROW, {"length": 7, "wild": False, "place": "a"})
    outputs = np.array(answer["outputs"])
    shares = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
    assert answer["classes"] == ["setosa", "virginica"]
    np.testing.assert_allclose(answer["probabilities"], shares, rtol=1e-5)
    assert answer["labels"] == [answer["classes"][code] for code in outputs.argmax(axis=1)]
    assert set(answer) == {
        "model",
        "version",
        "outputs",
        "labels",
        "probabilities",
        "classes",
        "extrapolation",
        "extrapolation_count",
    }


@pytest.mark.parametrize(
    ("loss", "probability"),
    [("logitbinarycrossentropy", lambda z: 1 / (1 + np.exp(-z))), ("mse", None)],
)
def test_a_boolean_target_has_two_classes_and_one_output(client: Client, loss: str, probability: Any) -> None:
    columns = {"x": [0.0, 1, 2, 3], "on": [False, True, True, False]}
    job = train(client, columns, ("on",), {"weight": [[1.0]], "bias": [-2.0]}, loss=loss)
    answer = rows(client, job, {"x": 1.0}, {"x": 2.25}, {"x": 3.0})
    outputs = np.array(answer["outputs"])[:, 0]
    assert answer["classes"] == [False, True]
    if probability is None:
        assert answer["probabilities"] is None
        assert answer["labels"] == (outputs > 0.5).tolist() == [False, False, True]
    else:
        p = probability(outputs)
        np.testing.assert_allclose(answer["probabilities"], np.column_stack([1 - p, p]), rtol=1e-5)
        assert answer["labels"] == [False, True, True]


def test_several_targets_are_told_apart_by_name(client: Client) -> None:
    columns = {**COLUMNS, "weight": [1.0, 2, 3, 4, 5, 6]}
    layer = {"weight": [*LAYER["weight"], [0.0, 0, 0, 0, 0]], "bias": [*LAYER["bias"], 7]}
    job = train(client, columns, ("species", "weight"), layer, loss="mse")
    answer = rows(client, job, ROW)
    assert answer["outputs"][0][2] == 7
    assert answer["labels"] == {"species": ["setosa" if np.argmax(answer["outputs"][0][:2]) == 0 else "virginica"]}
    assert answer["probabilities"] == {"species": None}
    assert answer["classes"] == {"species": ["setosa", "virginica"]}


def test_a_numeric_target_has_outputs_alone(client: Client) -> None:
    job = train(client, {"x": [0.0, 1, 2], "y": [1.0, 2, 3]}, ("y",), {"weight": [[2.0]], "bias": [1.0]}, loss="mse")
    answer = rows(client, job, {"x": 1})
    assert answer == {**answer, "outputs": [[3]], "extrapolation": [], "extrapolation_count": 0}
    assert not {"labels", "probabilities", "classes"} & set(answer)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_outside_of_the_training_part_are_listed(client: Client, dtype: str) -> None:
    columns = {"x": [0.1, 1, 2, 50], "z": [1.1, 3.3, 2.2, 0], "y": [1.0, 2, 3, 4]}
    layer = {"weight": [[2.0, 1.0]], "bias": [1.0]}
    job = train(client, columns, ("y",), layer, {"split": {"test": {"last": 1}}, "dtype": dtype}, loss="mse")
    inside = rows(client, job, {"x": 0.1, "z": 3.3}, {"x": 2, "z": 1.1})
    assert (inside["extrapolation"], inside["extrapolation_count"]) == ([], 0)

    outside = rows(client, job, {"x": 1, "z": 2}, {"x": 50, "z": 3}, {"x": 0, "z": 3.5})
    found = [(each["row"], each["column"], each["value"]) for each in outside["extrapolation"]]
    assert found == [(1, "x", 50), (2, "x", 0), (2, "z", 3.5)]
    assert outside["extrapolation"][0] == {"row": 1, "column": "x", "value": 50, "min": 0.1, "max": 2}
    part = ask(client, job, {"dataset": job.dataset, "part": "test"}).json()
    assert [each["column"] for each in part["extrapolation"]] == ["x", "z"]


def test_the_first_hundred_values_outside_are_listed_and_all_are_counted(client: Client) -> None:
    job = train(client, {"x": [0.0, 1], "y": [1.0, 2]}, ("y",), {"weight": [[1.0]], "bias": [0.0]}, loss="mse")
    answer = ask(client, job, {"inputs": [[0.5]] + [[9]] * 5000}).json()
    assert answer["extrapolation_count"] == 5000
    assert [each["row"] for each in answer["extrapolation"]] == list(range(1, 101))


@pytest.mark.parametrize(
    ("change", "pointer", "told"),
    [
        ({"place": "z"}, "#/rows/1/place", "'a', 'b', 'c'"),
        ({"place": True}, "#/rows/1/place", "'true'"),
        ({"colour": "red"}, "#/rows/1/colour", "'length', 'wild', 'place'"),
        ({"a/b": 1}, "#/rows/1/a~1b", "'a/b'"),
        ({"length": None}, "#/rows/1/length", "missing"),
        ({"length": "5"}, "#/rows/1/length", "number"),
        ({"length": True}, "#/rows/1/length", "number"),
        ({"length": [5]}, "#/rows/1/length", "number"),
        ({"length": 1e39}, "#/rows/1/length", "too large for float32"),
        ({"wild": 2}, "#/rows/1/wild", "false and true"),
        ({"wild": "yes"}, "#/rows/1/wild", "true or false"),
    ],
)
def test_a_value_that_a_column_does_not_take_is_refused_where_it_stands(
    client: Client, job: Job, change: dict[str, Any], pointer: str, told: str
) -> None:
    answer = ask(client, job, {"rows": [ROW, {**ROW, **change}]})
    assert pointers(answer) == [pointer]
    assert told in answer.json()["detail"].replace("True or", "true or")


def test_a_column_that_a_row_lacks_is_missing_there(client: Client, job: Job) -> None:
    lacking = {name: value for name, value in ROW.items() if name != "place"}
    assert pointers(ask(client, job, {"rows": [lacking]})) == ["#/rows/0/place"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"rows": []}, "#/rows"),
        ({"rows": {"length": [5]}}, "#/rows"),
        ({"rows": [[5, 1, "a"]]}, "#/rows/0"),
        ({"rows": None}, "#/rows"),
        ({"rows": [ROW], "inputs": [EXPANDED]}, "#"),
        ({"rows": [ROW], "part": "test"}, "#"),
        ({"inputs": [[5.0, 1, "b"]]}, "#/inputs/0"),
    ],
)
def test_what_are_no_rows_is_refused(client: Client, job: Job, body: dict[str, Any], pointer: str) -> None:
    assert pointers(ask(client, job, body)) == [pointer]


def test_targets_may_be_among_the_columns_and_are_ignored(client: Client, job: Job) -> None:
    assert rows(client, job, {**ROW, "species": "anything"}) == rows(client, job, ROW)


def test_a_missing_value_is_filled_as_in_training_where_that_was_asked_for(client: Client) -> None:
    columns = {"x": [1.0, None, 5.0, 2], "place": ["a", "a", None, "b"], "y": [1.0, 2, 3, 4]}
    layer = {"weight": [[1.0, 10, 100]], "bias": [0.0]}
    job = train(client, columns, ("y",), layer, {"missing": "mean"}, loss="mse")
    mean = 8 / 3
    np.testing.assert_allclose(rows(client, job, {"x": None, "place": None})["outputs"], [[mean + 10]], rtol=1e-6)
    np.testing.assert_allclose(rows(client, job, {"place": "b"})["outputs"], [[mean + 100]], rtol=1e-6)


def test_a_version_that_was_never_trained_knows_no_names(client: Client) -> None:
    model = client.create_model("Dense(1 => 1)")
    answer = client.http.post(f"/api/models/{model.id}/predictions", json={"rows": [{"x": 1}]})
    assert pointers(answer) == ["#/rows"]
    assert answer.json()["code"] == "no_signature"
    assert set(client.http.post(f"/api/models/{model.id}/predictions", json={"inputs": [[1]]}).json()) == {
        "model",
        "version",
        "outputs",
    }


def test_a_dataset_whose_columns_mean_something_else_is_refused(client: Client, job: Job) -> None:
    other = client.create_dataset(COLUMNS | {"place": ["x", "y", "z", "x", "y", "z"]}, ["species"])
    assert pointers(ask(client, job, {"dataset": other.id, "part": "train"})) == ["#/dataset"]


def test_kept_epochs_are_asked_by_number(client: Client) -> None:
    dataset = client.create_dataset({"x": [0.0, 1, 2], "y": [1.0, 3, 5]}, ["y"])
    model = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[0.0]], "bias": [0.0]}])
    job = client.train(model.id, dataset.id, wait=30, epochs=6, keep_every=2)
    path = f"/api/models/{model.id}/predictions"
    asked = [client.http.post(path, params={"epoch": epoch}, json={"inputs": [[1]]}).json() for epoch in (2, 4, 6)]
    assert [each["epoch"] for each in asked] == [2, 4, 6]
    assert len({each["outputs"][0][0] for each in asked}) == 3
    latest = client.http.post(path, json={"inputs": [[1]]}).json()
    assert latest["outputs"] == asked[-1]["outputs"]
    assert (latest["version"], "epoch" in latest) == (job.version, False)
    assert problem(client.http.post(path, params={"epoch": 3}, json={"inputs": [[1]]}), 404)["code"] == "epoch_not_kept"
    assert pointers(client.http.post(path, params={"epoch": "x"}, json={"inputs": [[1]]})) == ["query/epoch"]
