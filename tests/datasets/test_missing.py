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


def test_faults_of_several_kinds_come_each_with_its_remedy(http: httpx.Client) -> None:
    names = "".join(f"{row},n{row},2020-01-31,1.5,inf,a,2\n" for row in range(300))
    answer = upload(http, f"row,name,day,x,far,kind,y\n{names}1,n1,2020-02-01,?,1,,3\n")
    told = " ".join([answer.json()["detail"], *(error["detail"] for error in answer.json()["errors"])])
    for remedy in ("types=day:date", "missing_values=%3F&missing=mean", "ignore=name", "ignore=far", '"mean"'):
        assert remedy in told
    followed: dict[str, Any] = {
        "types": "day:date",
        "missing_values": "?",
        "missing": "mean",
        "ignore": ["name", "far"],
    }
    assert upload(http, answer.request.content, **followed).json()["rows"] == 301


def test_a_mark_comes_without_what_its_sender_has_said(http: httpx.Client) -> None:
    text = "x,y\n1,2\n?,3\n4,5\n"
    assert "missing_values=%3F&missing=mean." in upload(http, text).json()["detail"]
    assert "missing_values=%3F." in upload(http, text, missing="drop").json()["detail"]


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


def test_texts_may_be_declared_missing(http: httpx.Client) -> None:
    body = "x,kind,y\n1,a,1\n?,-,2\n-999,b,3\n4,?,4\n"
    made = upload(http, body, missing="drop", missing_values=["?", "-", "-999"]).json()
    assert made["rows"] == 1
    assert made["features"][1]["categories"] == ["a"]
    refused = upload(http, "x,y\n1,2\n?,3\n", missing="drop")
    assert "missing_values=%3F" in refused.json()["detail"]
    assert "missing_values=%3F" in upload(http, "x,y\n?,2\n1,3\n3,3\n").json()["detail"]
    assert upload(http, "x,y\n?,2\n1,3\n3,3\n", types="x:categorical").status_code == 201
    assert pointers(upload(http, b"", "application/x-npy", missing_values=["?"])) == ["query/missing_values"]


def test_mean_drops_rows_without_a_target(http: httpx.Client) -> None:
    made = upload(http, "x,y\n1,1\n,2\n3,\n4,4\n", missing="mean").json()
    items = http.get(f"/api/datasets/{made['id']}/rows").json()["items"]
    assert [(item["row"], item["values"]["x"]) for item in items] == [(0, 1), (1, 2.5), (3, 4)]


BY_KIND = ["numeric:mean", "categorical:category", "targets:drop"]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_missing_may_be_a_category_of_its_own(http: httpx.Client, form: str) -> None:
    pool, missing = ["NA", "NA", "Gd", "Ex", "missing", "NA"], dict(each.split(":") for each in BY_KIND)
    if form == "csv":
        body = "area,pool,y\n" + "".join(f"{area},{each},{area}\n" for area, each in enumerate(pool))
        made = upload(http, body, missing=BY_KIND).json()
    else:
        columns = {"area": [*range(6)], "pool": [None if each == "NA" else each for each in pool], "y": [*range(6)]}
        made = http.post("/api/datasets", json={"columns": columns, "targets": ["y"], "missing": missing}).json()
    assert made["missing"] == missing
    assert made["features"][1]["categories"] == ["Ex", "Gd", "missing", "missing_2"]
    items = http.get(f"/api/datasets/{made['id']}/rows").json()["items"]
    assert [item["values"]["pool"] for item in items] == [each.replace("NA", "missing_2") for each in pool]


def test_a_prediction_takes_missing_for_its_category(http: httpx.Client) -> None:
    dataset = upload(http, "pool,y\nNA,1\nGd,2\nNA,1\nEx,3\n", missing="categorical:category").json()
    model = http.post("/api/models", json={"architecture": "Dense(3 => 1)"}).json()
    recipe = {"model": model["id"], "dataset": dataset["id"], "epochs": 50}
    assert http.post("/api/jobs", json=recipe, headers={"Prefer": "wait=30"}).json()["state"] == "succeeded"
    rows = {"rows": [{"pool": None}, {"pool": "missing"}, {"pool": "Gd"}]}
    first, second, third = http.post(f"/api/models/{model['id']}/predictions", json=rows).json()["outputs"]
    assert first == second != third


@pytest.mark.parametrize(
    ("column", "remedy"),
    [
        ("x", "numeric:mean"),
        ("kind", "categorical:mode"),
        ("y", "targets:drop"),
        ("flag", "set its type to categorical"),
    ],
)
def test_a_kind_without_a_way_is_refused_with_the_remedy(http: httpx.Client, column: str, remedy: str) -> None:
    body = f"{NAMES}\n" + ",".join("" if name == column else "1" for name in NAMES.split(",")) + "\n2,true,b,3\n"
    missing = {"x": BY_KIND[1:], "kind": [BY_KIND[0]], "y": BY_KIND[:2], "flag": BY_KIND}[column]
    types = ["kind:categorical", "flag:boolean"]
    answer = upload(http, body, missing=missing, types=types)
    assert pointers(answer) == [f"#/columns/{column}/0"]
    assert remedy in answer.json()["detail"]
    if column == "flag":
        assert upload(http, body, missing=missing, types=["kind:categorical", "flag:categorical"]).status_code == 201


@pytest.mark.parametrize(
    "missing", [["mean", "drop"], ["numeric:mode"], ["x:mean"], ["numeric:mean", "numeric:drop"], ["no"]]
)
def test_ways_that_do_not_exist_are_refused(http: httpx.Client, missing: list[str]) -> None:
    assert pointers(upload(http, TEXT, missing=missing)) == ["query/missing"]


@pytest.mark.parametrize("missing", [None, "drop", "mean"])
@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_column_without_any_value_is_left_out_with_advice(http: httpx.Client, form: str, missing: str | None) -> None:
    if form == "csv":
        query: dict[str, Any] = {"missing": missing} if missing else {}
        answer = upload(http, "x,e,y\n1,,2\n2,,3\n", **query)
    else:
        columns = {"x": [1, 2], "e": [None, None], "y": [2, 3]}
        answer = http.post("/api/datasets", json={"columns": columns, "targets": ["y"], "missing": missing})
    made = answer.json()
    assert (made["rows"], [each["name"] for each in made["features"]], made["ignored"]) == (2, ["x"], ["e"])
    assert [(each["code"], each["pointer"]) for each in made["advice"]] == [("empty_column", "#/columns/e")]
    assert http.get(f"/api/datasets/{made['id']}/rows").json()["items"][1]["values"] == {"x": 2, "y": 3}
    assert [each["name"] for each in http.get(f"/api/datasets/{made['id']}/statistics").json()["columns"]] == ["x", "y"]


def test_a_column_that_begins_late_drops_or_refuses_all_rows_before(http: httpx.Client) -> None:
    far = 400_000
    body = "x,e,kind,y\n" + "1,,a,2\n" * far + "2,5,b,3\n3,6,b,4\n"
    dropped = upload(http, body, missing="drop").json()
    assert (dropped["rows"], dropped["features"][2]["categories"]) == (2, ["b"])
    assert [item["row"] for item in http.get(f"/api/datasets/{dropped['id']}/rows").json()["items"]] == [far, far + 1]
    assert pointers(upload(http, body)) == [f"#/columns/e/{row}" for row in range(10)]
    assert upload(http, body, missing="mean").json()["rows"] == far + 2


def test_where_no_row_is_whole_the_columns_that_lack_most_are_named(http: httpx.Client) -> None:
    detail = upload(http, "x,z,y\n1,,2\n,,3\n,3,\n", missing="drop").json()["detail"]
    assert "of 3 rows 'x' in 2, 'z' in 2, 'y' in 1." in detail
    assert "ignore=x" in detail
    assert "no_mean" in upload(http, "x,e,y\n1,,2\n2,3,3\n", missing="mean", test_last=1).text


@pytest.mark.parametrize(("values", "word"), [("a,,b,a", "category"), ("true,,false,true", "drop")])
def test_a_class_that_stands_for_missing_ones_is_told_with_the_remedy(
    http: httpx.Client, values: str, word: str
) -> None:
    body = "k,y\n" + "".join(f"{value},1\n" for value in values.split(","))
    (advice,) = upload(http, body, missing="mean").json()["advice"]
    assert (advice["code"], advice["pointer"]) == ("filled_with_class", "#/columns/k")
    remedy = ["numeric:mean", f"categorical:{word}", "targets:drop"]
    assert "&".join(f"missing={each}" for each in remedy) in advice["detail"]
    assert upload(http, body, missing=remedy).json()["advice"] == []
