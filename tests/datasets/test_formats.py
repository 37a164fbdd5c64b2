"""JSON columns and CSV text say the same; what is no number is refused where it stands."""

import re
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.datasets.formats import columns_from_csv
from service.errors import Invalid
from tests.problems import pointers, problem


def post_csv(http: httpx.Client, text: str | bytes, **query: Any) -> httpx.Response:
    headers = {"Content-Type": "text/csv; charset=utf-8"}
    return http.post("/api/datasets", params={"targets": "y", **query}, content=text, headers=headers)


def values(http: httpx.Client, dataset: dict[str, Any]) -> list[dict[str, float]]:
    rows = http.get(f"/api/datasets/{dataset['id']}/rows?limit=1000").json()["items"]
    return [row["values"] for row in rows]


def test_equal_data_has_equal_hashes_as_json_and_as_csv(http: httpx.Client) -> None:
    body = {
        "columns": {"x": [0, 1.5, -2, 3e-3, 1e30], "y": [2, 6, 10, 14, 0.1], "z": [1, 0, 1, 0, 1]},
        "targets": ["y", "z"],
        "split": {"test": {"last": 1}, "validation": {"fraction": 0.2}, "seed": 7},
        "dtype": "float64",
    }
    text = "x,y,z\n0,2,1\n1.5,6,0\n-2,10,1\n0.003,14,0\n1e30,0.1,1\n"
    query = {"targets": ["y", "z"], "test_last": 1, "validation_fraction": 0.2, "seed": 7, "dtype": "float64"}

    from_json = http.post("/api/datasets", json=body).json()
    from_csv = post_csv(http, text, **query).json()

    for field in ("features", "targets", "parts", "inputs", "outputs", "sha256"):
        assert from_csv[field] == from_json[field]
    assert values(http, from_csv) == values(http, from_json)


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3,4\n",
        "x,y\n1,2\n3,4",
        "x,y\r\n1,2\r\n3,4\r\n",
        '"x","y"\n"1","2"\n3,"4"\n',
        "x,y\n+1.0,2e0\n3.,.4e1\n",
        "x,y\n 1, 2 \n3,4\n",
        "\n\nx,y\n\n1,2\n\n\n3,4\n\n",
        "\ufeffx,y\n1,2\n3,4\n",
    ],
    ids=["plain", "no last newline", "CRLF", "quoted", "spellings", "spaces", "empty lines", "byte order mark"],
)
def test_csv_is_read_however_it_is_written(http: httpx.Client, text: str) -> None:
    created = post_csv(http, text)
    assert created.status_code == 201, created.text
    assert values(http, created.json()) == [{"x": 1, "y": 2}, {"x": 3, "y": 4}]


def test_a_name_in_quotes_may_hold_a_comma(http: httpx.Client) -> None:
    created = post_csv(http, '"width, in ""mm""","y"\r\n1,2\r\n').json()
    assert [feature["name"] for feature in created["features"]] == ['width, in "mm"']


def test_a_column_may_turn_to_fractions_a_million_bytes_on(http: httpx.Client) -> None:
    created = post_csv(http, "x,y\n" + "1,2\n" * 300_000 + "1.5,2.5\n", test_last=1).json()
    assert created["rows"] == 300_001
    last = http.get(f"/api/datasets/{created['id']}/rows?part=test").json()["items"]
    assert last == [{"row": 300_000, "part": "test", "values": {"x": 1.5, "y": 2.5}}]


@pytest.mark.parametrize(
    ("text", "line", "column", "row"),
    [
        ("x,y\n1,2\n3,four\n", 3, "y", 1),
        ("x,y\n1,2\n\n\n3,four\n", 5, "y", 1),
        ("x,y\r\n1,2\r\n3,four\r\n", 3, "y", 1),
        ("x,y\n1,2\n,4\n", 3, "x", 1),
        ('x,y\n1,""\n', 2, "y", 0),
        ("x,y\n1,2\n3,1e999\n", 3, "y", 1),
        ("x,y\n1,2\n3,1e39\n", 3, "y", 1),
        ("x,y\nnan,2\n3,4\n", 2, "x", 0),
        ("x,y\n1,2\ninf,4\n", 3, "x", 1),
        ("x,y\ntrue,2\nfalse,4\n", 2, "x", 0),
        ("x,y\n1,2\n1_000,4\nabc,5\n", 3, "x", 1),
        ('x,y\n1,2\n"1,000",4\n', 3, "x", 1),
        ("x,y\n2026-01-01,2\n", 2, "x", 0),
        ("x,y\n1,2\n３,4\n", 3, "x", 1),  # a wide 3
        (b"x,y\n1,2\n\xff,4\n", 3, "x", 1),
        (b"x,y\n1,2\n\x00,4\n", 3, "x", 1),
    ],
)
def test_a_csv_fault_names_line_and_column(
    http: httpx.Client, text: str | bytes, line: int, column: str, row: int
) -> None:
    answer = post_csv(http, text)
    assert pointers(answer) == [f"#/columns/{column}/{row}"]
    assert answer.json()["detail"].startswith(f"Line {line}: ")
    assert f"column '{column}'" in answer.json()["detail"]


def test_a_csv_fault_shows_the_value_as_it_was_sent(http: httpx.Client) -> None:
    detail = post_csv(http, "x,y\nTRUE,2\n").json()["detail"]
    assert detail == "Line 2: column 'x' holds 'TRUE', which is no number."


def test_the_first_few_csv_faults_are_all_listed(http: httpx.Client) -> None:
    found = pointers(post_csv(http, "x,y\n,2\n1,\n,2\n"))
    assert found == ["#/columns/x/0", "#/columns/x/2", "#/columns/y/1"]
    assert len(pointers(post_csv(http, "x,y\n" + ",\n" * 1000))) == 10


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("x,y\n1,2\n3,4,5\n", "Line 3 has 3 values, but the header names 2 columns"),
        ("x,y\n1,2\n\n3\n", "Line 4 has 1 values, but the header names 2 columns"),
        ("", "not CSV"),
        ("x,y\n", "at least one row"),
        ("y\n1\n", "at least two columns"),
        ("x,x,y\n1,2,3\n", "'x' is there twice"),
        ("x,,y\n1,2,3\n", "Column 2 is named ''"),
        ("x\x01,y\n1,2\n", "Column 1 is named"),
        (f"{'x' * 101},y\n1,2\n", "Column 1 is named"),
        (b"x\xff,y\n1,2\n", "not UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(http: httpx.Client, text: str | bytes, detail: str) -> None:
    answer = post_csv(http, text)
    assert pointers(answer) == ["#"]
    assert detail in answer.json()["detail"]


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
    ],
)
def test_a_csv_is_described_by_its_query(http: httpx.Client, query: dict[str, Any], pointer: str) -> None:
    assert pointers(post_csv(http, "x,y\n1,2\n3,4\n", **query)) == [pointer]


def test_a_query_beside_json_is_refused(http: httpx.Client) -> None:
    body = {"columns": {"x": [1], "y": [2]}, "targets": ["y"]}
    assert pointers(http.post("/api/datasets?seed=1", json=body)) == ["query/seed"]


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "text/plain", "application/parquet"])
def test_other_formats_are_415(http: httpx.Client, kind: str) -> None:
    answer = http.post("/api/datasets", content=b"x,y\n1,2\n", headers={"Content-Type": kind} if kind else {})
    assert "text/csv" in problem(answer, 415)["detail"]


SPELLINGS = [
    *("0", "-0", "+1", ".5", "1.", "1e5", "1E-5", " 1", "1\t", "00", "0x10", "99999999999999999999", "1e400", "nan"),
    *("true", "FALSE", "infinity", "2026-01-01", "12:30", "1_0", "--1", "+-1", "1e", "e5", "1,5", "1f", "-", ".", "１"),
]
CELLS = st.sampled_from(SPELLINGS) | st.text(st.characters(codec="utf-8", exclude_characters='"\r\n'), max_size=3)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_any_csv_is_a_table_of_numbers_or_has_a_line_that_is_not(rows: list[tuple[str, str]]) -> None:
    text = "x,y\n" + "".join(f'"{x}","{y}"\n' for x, y in rows)
    try:
        columns = columns_from_csv(text.encode(), "float64")
    except Invalid as refused:
        assert re.match("Line [2-6]: ", refused.detail)  # noqa: PT017 - either outcome is right
    else:
        assert [len(column) for column in columns.values()] == [len(rows), len(rows)]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=30))
def test_any_bytes_are_a_table_of_numbers_or_refused(body: bytes) -> None:
    try:
        columns = columns_from_csv(body, "float32")
    except Invalid:
        return
    assert len(columns) > 1
