"""Missing values: refused with the first ten named, replaced by the training mean, or dropped with their rows."""

from typing import Any

import httpx
import pytest

from tests.support.datasets.uploading import upload
from tests.support.problems import pointers

NAMES = "x,flag,kind,y"
TEXT = f"{NAMES}\n1,true,a,10\n,false,b,20\n3,,a,30\n4,false,,40\n8,true,b,50\n"
COLUMNS: dict[str, list[Any]] = {
    "x": [1, None, 3, 4, 8],
    "flag": [True, False, None, False, True],
    "kind": ["a", "b", "a", None, "b"],
    "y": [10, 20, 30, 40, 50],
}


def rows(http: httpx.Client, dataset: str) -> dict[int, list[Any]]:
    """The values of each row, by its number."""
    items = http.get(f"/api/datasets/{dataset}/rows").json()["items"]
    return {item["row"]: [item["values"][name] for name in COLUMNS] for item in items}


def test_missing_values_are_refused_with_row_and_column(http: httpx.Client) -> None:
    answer = upload(http, TEXT)
    assert pointers(answer) == ["#/columns/x/1", "#/columns/flag/2", "#/columns/kind/3"]
    details = [error["detail"] for error in answer.json()["errors"]]
    assert details[0] == "Line 3: the value of column 'x' is missing."
    assert answer.json()["detail"].startswith(details[0])
    assert answer.json()["code"] == "missing_values"
    for word in ('"mean"', '"drop"'):
        assert word in answer.json()["detail"]
    assert pointers(http.post("/api/datasets", json={"columns": COLUMNS, "targets": ["y"]})) == pointers(answer)


def test_the_first_ten_missing_values_are_listed_wherever_they_are(http: httpx.Client) -> None:
    far = 200_000
    body = "x,y\n1,\n" + "1,2\n" * far + ",\n" * 20
    expected = ["#/columns/y/0"]
    for row in range(far + 1, far + 6):
        expected += [f"#/columns/x/{row}", f"#/columns/y/{row}"]
    answer = upload(http, body)
    assert pointers(answer) == expected[:10]
    assert answer.json()["errors"][1]["detail"].startswith(f"Line {far + 3}: ")


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_dropped_row_is_gone_and_the_others_keep_their_numbers(http: httpx.Client, form: str) -> None:
    if form == "json":
        body = {"columns": COLUMNS, "targets": ["y"], "missing": "drop", "split": {"test": {"last": 1}}}
        created = http.post("/api/datasets", json=body).json()
    else:
        created = upload(http, TEXT, missing="drop", test_last=1).json()
    assert (created["rows"], created["missing"]) == (2, "drop")
    assert created["parts"] == {"train": 1, "validation": 0, "test": 1}
    assert rows(http, created["id"]) == {0: [1, True, "a", 10], 4: [8, True, "b", 50]}


def test_categories_that_only_dropped_rows_have_are_none(http: httpx.Client) -> None:
    created = upload(http, "kind,y\na,1\nb,\n", missing="drop").json()
    assert created["features"][0]["categories"] == ["a"]


def test_a_missing_value_becomes_the_training_mean_or_most_frequent_class(http: httpx.Client) -> None:
    created = upload(http, TEXT, missing="mean", test_last=1).json()
    assert created["missing"] == "mean"
    # training: x has 1, 3, 4; flag true, false, false; kind a, b, a
    assert rows(http, created["id"]) == {
        0: [1, True, "a", 10],
        1: [pytest.approx(8 / 3, rel=1e-7), False, "b", 20],
        2: [3, False, "a", 30],
        3: [4, False, "a", 40],
        4: [8, True, "b", 50],
    }


def test_statistics_tell_the_missing_values_and_are_of_the_others(http: httpx.Client) -> None:
    created = upload(http, TEXT, missing="mean", test_last=1).json()
    columns = http.get(f"/api/datasets/{created['id']}/statistics").json()["columns"]
    train = {column["name"]: column["parts"]["train"] for column in columns}
    assert {name: (each["count"], each["missing"]) for name, each in train.items()} == {
        "x": (3, 1),
        "flag": (3, 1),
        "kind": (3, 1),
        "y": (4, 0),
    }
    assert train["x"]["mean"] == pytest.approx(8 / 3)
    assert (train["x"]["min"], train["x"]["max"], sum(train["x"]["histogram"]["counts"])) == (1, 4, 3)
    assert train["flag"]["categories"] == {"false": 2, "true": 1}
    assert train["kind"]["categories"] == {"a": 2, "b": 1}


def test_without_missing_values_all_three_ways_store_the_same_rows(
    http: httpx.Client,
) -> None:
    text = "x,y\n1,2\n3,4\n"
    refused, dropped, filled = (
        answer.json()
        for answer in (upload(http, text), upload(http, text, missing="drop"), upload(http, text, missing="mean"))
    )
    assert refused["sha256"] == dropped["sha256"] != filled["sha256"]


def test_no_value_is_made_up_for_a_target(http: httpx.Client) -> None:
    answer = upload(http, "x,y\n1,2\n3,\n,4\n", missing="mean")
    assert pointers(answer) == ["#/columns/y/1"]
    assert '"drop"' in answer.json()["detail"]


def test_a_column_without_a_value_to_train_on_has_no_mean(http: httpx.Client) -> None:
    answer = upload(http, "x,y\n,2\n,4\n5,6\n", types="x:numeric", missing="mean", test_last=1)
    assert pointers(answer) == ["#/columns/x"]
    assert answer.json()["code"] == "no_mean"


@pytest.mark.parametrize(("query", "detail"), [({"missing": "drop"}, "lacks a value"), ({}, "missing")])
def test_there_must_be_rows_left(http: httpx.Client, query: dict[str, Any], detail: str) -> None:
    answer = upload(http, "x,y\n1,\n,2\n", **query)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]


def test_a_job_trains_on_filled_columns_of_all_kinds(http: httpx.Client) -> None:
    dataset = upload(http, TEXT, missing="mean", test_last=1).json()
    assert (dataset["inputs"], dataset["outputs"]) == (4, 1)
    model = http.post("/api/models", json={"architecture": "Dense(4 => 1)"}).json()
    recipe = {
        "model": model["id"],
        "dataset": dataset["id"],
        "epochs": 5,
        "optimiser": {"rule": "Descent", "eta": 0.01},
    }
    job = http.post("/api/jobs", json=recipe, headers={"Prefer": "wait=30"}).json()
    assert job["state"] == "succeeded", job
    assert job["final_loss"] < job["initial_loss"]
