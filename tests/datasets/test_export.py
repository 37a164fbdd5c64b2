"""A dataset is exported over HTTP in the form that a client wants, and is the same when read again."""

import io
from typing import Any

import httpx
import pyarrow
import pytest
from pyarrow import csv, ipc, parquet

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.uploading import upload
from tests.support.problems import pointers, problem

COLUMNS: dict[str, list[Any]] = {
    "x": [0.5, 1.5, -2, 3, 1e30],
    "y": [2, 6, 10, 14, 0.1],
    "kind": ["b", "a", "b", "c", "a"],
    "flag": [True, False, True, False, True],
}
SPLIT = {"test": {"last": 2}, "validation": {"first": 1}}
FORMS = (MediaType.CSV, MediaType.PARQUET, MediaType.ARROW_STREAM)


@pytest.fixture(scope="module")
def dataset(http: httpx.Client) -> dict[str, Any]:
    body = {"columns": COLUMNS, "targets": ["y"], "split": SPLIT, "dtype": "float64"}
    created: dict[str, Any] = http.post("/api/datasets", json=body).json()
    return created


def get(http: httpx.Client, dataset: dict[str, Any], accept: str, query: str = "") -> httpx.Response:
    return http.get(f"/api/datasets/{dataset['id']}/content{query}", headers={"Accept": accept})


def table(form: MediaType, body: bytes) -> pyarrow.Table:
    match form:
        case MediaType.CSV:
            return csv.read_csv(io.BytesIO(body))
        case MediaType.PARQUET:
            return parquet.read_table(io.BytesIO(body))
        case _:
            return ipc.open_stream(body).read_all()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_all_rows_as_they_came(http: httpx.Client, dataset: dict[str, Any], form: MediaType) -> None:
    answer = get(http, dataset, form)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == form
    assert table(form, answer.content).to_pydict() == COLUMNS


@pytest.mark.parametrize(("form", "suffix"), list(zip(FORMS, (".csv", ".parquet", ".arrow"), strict=True)))
def test_it_is_a_file_with_a_name(http: httpx.Client, dataset: dict[str, Any], form: MediaType, suffix: str) -> None:
    for query, part in (("", ""), ("?part=test", "-test")):
        name = get(http, dataset, form, query).headers["content-disposition"]
        assert name == f'attachment; filename="{dataset["name"]}{part}{suffix}"'


@pytest.mark.parametrize("form", FORMS)
def test_what_is_given_back_reads_as_the_same_dataset(
    http: httpx.Client, dataset: dict[str, Any], form: MediaType
) -> None:
    body = get(http, dataset, form).content
    again = upload(http, body, form, dtype="float64", test_last=2, validation_first=1).json()
    assert again.get("sha256") == dataset["sha256"], again


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("part", "rows"), [("validation", [0]), ("train", [1, 2]), ("test", [3, 4])])
def test_one_part_may_be_asked_for(
    http: httpx.Client, dataset: dict[str, Any], form: MediaType, part: str, rows: list[int]
) -> None:
    answer = get(http, dataset, form, f"?part={part}")
    expected = {name: [values[row] for row in rows] for name, values in COLUMNS.items()}
    assert table(form, answer.content).to_pydict() == expected


@pytest.mark.parametrize("form", FORMS)
def test_a_part_without_rows_has_columns_alone(http: httpx.Client, form: MediaType) -> None:
    created = http.post("/api/datasets", json={"columns": {"x": [1], "y": [2]}, "targets": ["y"]}).json()
    empty = table(form, get(http, created, form, "?part=test").content)
    assert (empty.column_names, empty.num_rows) == (["x", "y"], 0)


@pytest.mark.parametrize("accept", ["", "*/*", "text/*", "application/json;q=0.5, text/csv"])
def test_csv_is_what_one_gets_who_does_not_mind(http: httpx.Client, dataset: dict[str, Any], accept: str) -> None:
    answer = get(http, dataset, accept)
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["vary"] == "Accept"


def test_other_forms_are_406(http: httpx.Client, dataset: dict[str, Any]) -> None:
    assert "text/csv" in problem(get(http, dataset, "application/json"), 406)["detail"]


def test_there_is_no_content_of_what_is_none(http: httpx.Client, dataset: dict[str, Any]) -> None:
    problem(http.get("/api/datasets/nothing/content"), 404)
    assert pointers(get(http, dataset, "text/csv", "?part=all")) == ["query/part"]


def test_a_column_of_parts_is_given_back_too(http: httpx.Client) -> None:
    text = b"x,y,part\n1,2,test\n3,4,train\n5,6,validation\n"
    created = upload(http, text, split_column="part").json()
    body = get(http, created, "text/csv").content
    assert table(MediaType.CSV, body).to_pydict() == table(MediaType.CSV, text).to_pydict()
    assert upload(http, body, split_column="part").json()["sha256"] == created["sha256"]
