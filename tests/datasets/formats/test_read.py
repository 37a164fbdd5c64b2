"""Every form of a body makes the same dataset over HTTP; a fault in one is a 422 that names its place."""

import gzip
import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pyarrow
import pytest

from service.datasets.formats.media_types import MediaType
from service.datasets.formats.read import MEDIA_TYPES
from tests.support.datasets.writing import as_csv, as_npz, as_parquet, as_stream
from tests.support.problems import pointers, problem

COLUMNS: dict[str, list[Any]] = {
    "x": [0, 1.5, -2, 3e-3, 1e30],
    "kind": ["b", "a", "b", "c", "a"],
    "y": [2, 6, 10, 14, 0.1],
    "z": [True, False, True, False, True],
}


def post(http: httpx.Client, form: str, body: str | bytes, **query: Any) -> httpx.Response:
    return http.post("/api/datasets", params={"targets": "y", **query}, content=body, headers={"Content-Type": form})


def post_csv(http: httpx.Client, text: str | bytes, **query: Any) -> httpx.Response:
    return post(http, "text/csv; charset=utf-8", text, **query)


def values(http: httpx.Client, dataset: dict[str, Any]) -> list[dict[str, Any]]:
    rows = http.get(f"/api/datasets/{dataset['id']}/rows?limit=1000").json()["items"]
    return [row["values"] for row in rows]


def as_npy(table: pyarrow.Table) -> bytes:
    out = io.BytesIO()
    rows = [tuple(row.values()) for row in table.to_pylist()]
    np.save(out, np.array(rows, [("x", "f8"), ("kind", "U1"), ("y", "f8"), ("z", "?")]))
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (MediaType.CSV, as_csv),
        (MediaType.CSV, lambda table: gzip.compress(as_csv(table))),
        (MediaType.PARQUET, as_parquet),
        (MediaType.ARROW_STREAM, as_stream),
        (MediaType.NPZ, lambda table: as_npz({name: np.array(table[name].to_pylist()) for name in table.column_names})),
        (MediaType.NPY, as_npy),
    ],
    ids=["CSV", "gzip", "Parquet", "Arrow", "npz", "npy"],
)
def test_equal_data_has_equal_hashes_in_every_form(
    http: httpx.Client, form: MediaType, written: Callable[[pyarrow.Table], bytes]
) -> None:
    split = {"test": {"last": 1}, "validation": {"fraction": 0.2}, "seed": 7}
    body = {"columns": COLUMNS, "targets": ["y", "z"], "split": split, "dtype": "float64"}
    query = {"targets": ["y", "z"], "test_last": 1, "validation_fraction": 0.2, "seed": 7, "dtype": "float64"}

    from_json = http.post("/api/datasets", json=body).json()
    answer = post(http, form, written(pyarrow.table(COLUMNS)), **query)

    assert answer.status_code == 201, answer.text
    for field in ("features", "targets", "parts", "inputs", "outputs", "sha256"):
        assert answer.json()[field] == from_json[field]
    assert values(http, answer.json()) == values(http, from_json)


def test_a_target_may_be_a_whole_array(http: httpx.Client) -> None:
    out = io.BytesIO()
    np.savez(out, inputs=np.eye(3), y=np.arange(6).reshape(3, 2))
    created = post(http, MediaType.NPZ, out.getvalue()).json()
    assert [column["name"] for column in created["features"]] == ["inputs_0", "inputs_1", "inputs_2"]
    assert [column["name"] for column in created["targets"]] == ["y_0", "y_1"]


def test_gzip_may_be_announced(http: httpx.Client) -> None:
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    body = gzip.compress(b"x,y\n1,2\n")
    assert http.post("/api/datasets?targets=y", content=body, headers=headers).status_code == 201


def test_columns_are_what_they_are_said_to_be(http: httpx.Client) -> None:
    created = post_csv(
        http,
        "1;0;a\n2;1;b\n",
        targets="label",
        header=False,
        delimiter=";",
        types=["n:categorical", "flag:boolean"],
        columns=["n", "flag", "label"],
    ).json()
    assert [(column["name"], column["kind"], column["categories"]) for column in created["features"]] == [
        ("n", "categorical", ["1", "2"]),
        ("flag", "boolean", None),
    ]
    assert values(http, created) == [{"n": "1", "flag": False, "label": "a"}, {"n": "2", "flag": True, "label": "b"}]


@pytest.mark.parametrize(
    ("text", "pointer", "detail"),
    [
        ("x,y\n1,2\n3,many\n", "#/columns/y/1", "Line 3: column 'y' holds 'many', which is no number."),
        ("x,y\n1,2\n\n,4\n", "#/columns/x/1", "Line 4: the value of column 'x' is missing."),
        (
            "x,y\n1,2\n3,1e39\n",
            "#/columns/y/1",
            "Line 3: the number in column 'y' is not finite in float32: dtype float64",
        ),
        (
            "x,y\n1,2\ninf,4\n",
            "#/columns/x/1",
            "Line 3: the number in column 'x' is not finite in float32: leave",
        ),
        ("x,y\n2026-01-01,2\n", "#/columns/x/0", "Line 2: column 'x' holds '2026-01-01', a date or a time"),
        ("x,y\n1,2\n3,4,5\n", "#", "Line 3 has 3 values, but the header names 2 columns."),
        ("x,y\n", "#", "There are no rows."),
    ],
)
def test_a_csv_fault_names_line_and_column(http: httpx.Client, text: str, pointer: str, detail: str) -> None:
    answer = post_csv(http, text)
    assert pointers(answer) == [pointer]
    assert answer.json()["detail"].startswith(detail)


def test_the_first_ten_missing_values_are_listed(http: httpx.Client) -> None:
    assert pointers(post_csv(http, "x,y\n,2\n1,\n,2\n")) == ["#/columns/x/0", "#/columns/y/1", "#/columns/x/2"]
    assert len(pointers(post_csv(http, "x,y\n" + ",\n" * 1000))) == 10


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"targets": []}, "query/targets"),
        ({"test_fraction": 1}, "query/test_fraction"),
        ({"test_fraction": "nan"}, "query/test_fraction"),
        ({"test_first": -1}, "query/test_first"),
        ({"test_first": 1, "test_last": 1}, "query/test_last"),
        ({"validation_fraction": 0.1, "validation_first": 1}, "query/validation_first"),
        ({"seed": 2**53}, "query/seed"),
        ({"dtype": "int8"}, "query/dtype"),
        ({"name": "ds/1"}, "query/name"),
        ({"colour": "red"}, "query/colour"),
        ({"types": "x:colour"}, "query/types"),
        ({"types": "z:numeric"}, "query/types"),
        ({"delimiter": ",,"}, "query/delimiter"),
        ({"columns": ["a", "b", "y"]}, "query/columns"),
    ],
)
def test_a_csv_is_described_by_its_query(http: httpx.Client, query: dict[str, Any], pointer: str) -> None:
    assert pointers(post_csv(http, "x,y\n1,2\n3,4\n", **query)) == [pointer]


def test_a_query_beside_json_is_refused(http: httpx.Client) -> None:
    body = {"columns": {"x": [1], "y": [2]}, "targets": ["y"]}
    assert pointers(http.post("/api/datasets?seed=1", json=body)) == ["query/seed"]


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "text/plain", "application/parquet"])
def test_other_formats_are_415(http: httpx.Client, kind: str) -> None:
    answer = http.post("/api/datasets?targets=y", content=b"x,y\n1,2\n", headers={"Content-Type": kind} if kind else {})
    detail = problem(answer, 415)["detail"]
    assert all(form in detail for form in ("application/json", *MEDIA_TYPES))
