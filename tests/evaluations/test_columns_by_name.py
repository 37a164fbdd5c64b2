"""Evaluations and predictions of datasets whose columns are those of the version by name, and by name alone."""

from typing import Any

import pytest

from service.client import Client
from tests.support.problems import problem

X = [0.0, 1.0, 2.0, 3.0]
FRUIT = ["lime", "lime", "plum", "fig"]
COLUMNS: dict[str, Any] = {"x": X, "z": X[::-1], "fruit": FRUIT}


@pytest.fixture(scope="module")
def model(client: Client) -> str:
    made = client.create_model("Dense(2 => 3)").id
    dataset = client.create_dataset(COLUMNS, ["fruit"]).id
    client.train(made, dataset, wait=30, epochs=3, loss="logitcrossentropy")
    return made


def judged(client: Client, model: str, columns: dict[str, Any], **more: Any) -> dict[str, Any]:
    dataset = client.create_dataset(columns, ["fruit" if "fruit" in columns else "kind"]).id
    shown = client.evaluate(model, dataset, part="train", **more).model_dump()
    return {name: shown[name] for name in ("loss", "metrics", "residuals", "rows")}


@pytest.mark.parametrize(
    ("columns", "more"),
    [
        ({"fruit": FRUIT, "z": X[::-1], "x": X}, {}),
        ({"more": X, **COLUMNS, "texts": FRUIT}, {}),
        ({"a": X[::-1], "kind": FRUIT, "x": X}, {"rename": {"a": "z", "kind": "fruit"}}),
        ({"z": X, "x": X[::-1], "fruit": FRUIT}, {"rename": {"z": "x", "x": "z"}}),
    ],
    ids=["another order", "more columns", "other names", "names in other places"],
)
def test_names_decide_which_column_is_which(
    client: Client, model: str, columns: dict[str, Any], more: dict[str, Any]
) -> None:
    assert judged(client, model, columns, residuals=4, **more) == judged(client, model, COLUMNS, residuals=4)


def test_data_may_lack_classes_of_the_version(client: Client, model: str) -> None:
    found = judged(client, model, {**COLUMNS, "fruit": ["plum", "plum", "plum", "plum"]}, residuals=1)
    assert [each["class"] for each in found["metrics"]["per_class"]] == ["fig", "lime", "plum"]
    assert [each["support"] for each in found["metrics"]["per_class"]] == [0, 0, 4]
    assert found["residuals"][0]["targets"] == ["plum"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({**COLUMNS, "fruit": ["lime", "pear", "plum", "fig"]}, "'pear'"),
        ({**COLUMNS, "z": [True, False, True, False]}, "boolean"),
        ({"x": X, "other": X, "fruit": FRUIT}, "lacks 'z', which the version takes; it does not use 'other'"),
    ],
)
def test_columns_that_differ_are_named(client: Client, model: str, columns: dict[str, Any], says: str) -> None:
    dataset = client.create_dataset(columns, ["fruit"]).id
    answer = client.http.post(f"/api/models/{model}/evaluations", json={"dataset": dataset, "part": "train"})
    refused = problem(answer, 422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("columns_differ", "#/dataset")
    assert says in refused["detail"]


def test_stored_rows_are_predicted_by_name_whatever_their_targets_are(client: Client, model: str) -> None:
    orders: list[dict[str, Any]] = [COLUMNS, {"z": X[::-1], "fruit": ["pear", "fig", "nut", "nut"], "x": X, "more": X}]
    answers = [
        client.http.post(
            f"/api/models/{model}/predictions",
            json={"dataset": client.create_dataset(columns, ["fruit"]).id, "part": "train"},
        ).json()["outputs"]
        for columns in orders
    ]
    assert answers[0] == answers[1]


def test_a_job_is_advised_of_columns_that_it_leaves_out(client: Client, model: str) -> None:
    dataset = client.create_dataset({"more": X, **COLUMNS}, ["fruit"]).id
    body = {"model": model, "dataset": dataset, "loss": "logitcrossentropy"}
    planned = client.http.post("/api/jobs?validate_only=true", json=body).json()
    assert [(each["code"], each["pointer"]) for each in planned["advice"]] == [("columns_unused", "#/dataset")]
    assert planned["recipe"]["rename"] == {}


def test_a_new_name_that_is_none_has_its_pointer(client: Client, model: str) -> None:
    dataset = client.create_dataset(COLUMNS, ["fruit"]).id
    body = {"dataset": dataset, "part": "train", "rename": {"zz": "z"}}
    refused = problem(client.http.post(f"/api/models/{model}/evaluations", json=body), 422)
    assert refused["errors"][0]["pointer"] == "#/rename/zz"
    posted = client.http.post("/api/jobs", json={"model": model, "dataset": dataset, "rename": {"x": "z"}})
    assert problem(posted, 422)["errors"][0]["pointer"] == "#/rename/x"
