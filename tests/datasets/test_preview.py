"""A look before the load: kinds, widths, first rows, and all advice and faults at once; nothing is stored."""

import gzip
from typing import Any

import httpx
import pyarrow
import pytest

from service.datasets.formats.media_types import MediaType
from tests.support.datasets.uploading import CSV, upload
from tests.support.datasets.writing import as_parquet, as_stream
from tests.support.problems import pointers, problem

TEXT = "x,k,y\n" + "".join(f"{row},{'ab'[row % 2]},{row * 2}\n" for row in range(12))


def look(http: httpx.Client, body: Any, kind: str = CSV, **query: Any) -> dict[str, Any]:
    answer = upload(http, body, kind, validate_only="true", **query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(found: dict[str, Any]) -> list[str]:
    return [fault["pointer"] for fault in found["faults"]]


def test_a_file_is_described_and_not_stored(http: httpx.Client) -> None:
    found = look(http, TEXT, name="looked-at", test_last=2)
    assert [(each["name"], each["kind"], each["width"]) for each in found["features"]] == [
        ("x", "numeric", 1),
        ("k", "categorical", 2),
    ]
    assert [each["name"] for each in found["targets"]] == ["y"]
    assert (found["inputs"], found["outputs"], found["rows_read"], found["faults"]) == (3, 1, 12, [])
    assert found["parts"] == {"train": 10, "validation": 0, "test": 2}
    assert found["first"][1] == {"x": 1, "k": "b", "y": 2}
    assert len(found["first"]) == 10
    assert (found["complete"], found["sampled"]) == (True, False)
    assert http.get("/api/datasets/looked-at").status_code == 404


def test_statistics_are_those_that_the_dataset_gets(http: httpx.Client) -> None:
    found = look(http, TEXT, validation_fraction=0.25, seed=3)
    kept = upload(http, TEXT, validation_fraction=0.25, seed=3).json()
    assert found["statistics"] == http.get(f"/api/datasets/{kept['id']}/statistics").json()
    assert found["parts"] == kept["parts"]


def test_all_faults_are_told_at_once(http: httpx.Client) -> None:
    body = 'x,k,day,n,y\n1,a,2020-01-01,"1,000.50",1\nfoo,b,2020-01-02,"2,000",\n3,c\n4,,2020-01-04,3,inf\n'
    found = look(http, body, targets="z", ignore="nothing")
    ragged, unknown = "#", "query/targets"
    values = {"#/columns/day/0", "#/columns/n/0", "#/columns/x/1", "#/columns/y/1", "#/columns/k/3", "#/columns/y/3"}
    assert set(told(found)) == {ragged, unknown, "query/ignore", *values}
    assert found["rows_read"] == 4
    assert [each["name"] for each in found["features"]] == ["x", "k", "day", "n", "y"]
    assert set(pointers(upload(http, body, targets="z", ignore="nothing"))) == set(told(found))


def test_a_fault_comes_with_its_remedy(http: httpx.Client) -> None:
    (fault,) = look(http, "x,y\n1,2\n,3\n")["faults"]
    assert fault["detail"].startswith("Line 3: the value of column 'x' is missing. Set `missing`")


def test_ten_faults_of_a_kind_are_told_and_twenty_in_all(http: httpx.Client) -> None:
    rows = "".join(f"{row},a\n" for row in range(30)) + "1\n" * 30 + ",2\n" * 30 + "x,2\n" * 30
    found = look(http, f"x,y\n{rows}", types="y:numeric")
    details = [fault["detail"] for fault in found["faults"]]
    assert len(details) == 20
    for what in ("which is no number", "has 1 values", "is missing"):
        assert 5 <= sum(what in detail for detail in details) <= 10


def test_rows_that_are_too_short_leave_others_their_numbers(http: httpx.Client) -> None:
    found = look(http, "x,y\n1,2\n3\n4,five\n6,7\n")
    assert told(found) == ["#", "#/columns/y/2"]
    assert [fault["detail"].split(":")[0][:6] for fault in found["faults"]] == ["Line 3", "Line 4"]
    assert [row["x"] for row in found["first"]] == [1, None, 4, 6]


@pytest.mark.parametrize("targets", [[], ["z"]])
def test_columns_are_told_where_targets_are_missing_or_wrong(http: httpx.Client, targets: list[str]) -> None:
    found = look(http, TEXT, targets=targets)
    assert [each["name"] for each in found["features"]] == ["x", "k", "y"]
    assert (found["targets"], found["outputs"], told(found)) == ([], 0, ["query/targets"])
    columns = {"x": [1, 2], "k": ["a", "b"], "y": [3, 4]}
    answer = http.post("/api/datasets?validate_only=true", json={"columns": columns, "targets": targets})
    assert [each["kind"] for each in answer.json()["features"]] == ["numeric", "categorical", "numeric"]
    assert [pointer.removesuffix("/0") for pointer in told(answer.json())] == ["#/targets"]


def test_only_the_first_megabyte_is_read(http: httpx.Client) -> None:
    rows = 200_000
    text = "x,k,y\n" + "".join(f"{row},{'ab'[row % 2]},0\n" for row in range(rows)) + "no number,a,0\n"
    found = look(http, text, test_fraction=0.5)
    assert len(text) / (1 << 20) > 1.5
    assert 0.5 * rows * (1 << 20) / len(text) < found["rows_read"] < 1.1 * rows * (1 << 20) / len(text)
    assert (found["complete"], found["sampled"], found["parts"], found["faults"]) == (False, True, None, [])
    assert found["statistics"]["columns"][0]["parts"]["train"]["count"] == found["rows_read"]


@pytest.mark.parametrize(("kind", "written"), [(MediaType.PARQUET, as_parquet), (MediaType.ARROW_STREAM, as_stream)])
def test_parquet_and_arrow_are_looked_at_too(http: httpx.Client, kind: str, written: Any) -> None:
    table = pyarrow.table({"x": range(300_000), "bad": [[1]] * 300_000, "y": range(300_000)})
    found = look(http, written(table), kind)
    assert [each["name"] for each in found["features"]] == ["x"]
    assert told(found) == ["#/columns/bad"]
    if kind == MediaType.PARQUET:
        assert (found["complete"], found["rows_read"] < 300_000) == (False, True)


def test_columns_with_too_many_texts_are_shown_in_the_first_rows(http: httpx.Client) -> None:
    text = "name,x,y\n" + "".join(f"person {row},{row},0\n" for row in range(300))
    found = look(http, text)
    assert told(found) == ["#/columns/name"]
    assert found["first"][0] == {"name": "person 0", "x": 0, "y": 0}
    for missing in ("mean", "drop"):  # what cannot be read is not missing
        found = look(http, text, missing=missing)
        assert (told(found), found["advice"], found["parts"]["train"]) == (["#/columns/name"], [], 300)


@pytest.mark.parametrize(("missing", "counts"), [("mean", (4, 1, 1)), ("drop", (3, 1, 0))])
def test_what_cannot_be_read_does_not_count_as_missing(
    http: httpx.Client, missing: str, counts: tuple[int, ...]
) -> None:
    found = look(http, "x,y\n1,2\nnone,3\n,4\n1e300,5\n", types="x:numeric", missing=missing)
    train = found["statistics"]["columns"][0]["parts"]["train"]
    assert (found["parts"]["train"], train["count"], train["missing"]) == counts


def test_what_is_no_table_is_a_fault(http: httpx.Client) -> None:
    for body, kind in ((b"", CSV), (b"nonsense", MediaType.PARQUET), (b"y\n1\n", CSV)):
        found = look(http, body, kind)
        assert (found["features"], found["first"], found["rows_read"]) == ([], [], 0)
        assert told(found) == ["#"]
    problem(upload(http, b"x,y\n1,2\n", "text/plain", validate_only="true"), 415)


def test_advice_is_that_of_the_dataset(http: httpx.Client) -> None:
    body = ",x,k,y\n0,1,a,1\n1,,,2\n2,3,a,2\n"
    assert look(http, body, missing="mean")["advice"] == upload(http, body, missing="mean").json()["advice"]


def test_a_taken_name_and_impossible_parts_are_faults(http: httpx.Client) -> None:
    upload(http, TEXT, name="taken-already").raise_for_status()
    found = look(http, TEXT, name="taken-already", test_last=100)
    assert told(found) == ["query/name", "query/test_last"]
    assert found["parts"] is None


def test_faults_of_json_are_told_at_once(http: httpx.Client) -> None:
    columns = {"x": [1, 2, "a", True], "k": ["a", "b", None, 1], "y": [1, 2, 3]}
    body = {"columns": columns, "targets": ["y"], "types": {"z": "numeric"}}
    answer = http.post("/api/datasets?validate_only=true", json=body)
    wanted = ["#/types", "#/columns/x/2", "#/columns/x/3", "#/columns/k/3", "#/columns/y", "#/columns/k/2"]
    assert told(answer.json()) == wanted
    assert answer.json()["first"][0] == {"x": 1, "k": "a", "y": 1}
    assert pointers(http.post("/api/datasets", json=body)) == wanted


def test_a_key_is_not_used_up(http: httpx.Client) -> None:
    headers = {"Idempotency-Key": "looked-at-first"}
    assert upload(http, TEXT, headers=headers, validate_only="true").status_code == 200
    assert upload(http, TEXT, headers=headers).status_code == 201


def test_a_packed_file_is_looked_at(http: httpx.Client) -> None:
    assert look(http, gzip.compress(TEXT.encode()))["rows_read"] == 12


def test_parts_are_not_told_where_a_row_has_no_class_to_draw_from(http: httpx.Client) -> None:
    body = "x,y\n1,a\n2,\n3,b\n4,a\n"
    found = look(http, body, test_fraction=0.5, stratify="true")
    assert (found["parts"], told(found)) == (None, ["#/columns/y/1"])
    assert look(http, body, test_fraction=0.5, stratify="true", missing="drop")["parts"]["test"] == 2


def test_a_table_of_parts_alone_is_a_fault(http: httpx.Client) -> None:
    query: dict[str, Any] = {"ignore": ["x", "y"], "split_column": "p"}
    assert told(look(http, "x,y,p\n1,2,train\n", **query)) == ["query/targets"]
    assert pointers(upload(http, "x,y,p\n1,2,train\n", **query)) == ["query/targets"]


def test_texts_of_json_that_are_dates_are_faults(http: httpx.Client) -> None:
    columns = {"day": ["2020-01-31", "2020-02-29"], "y": [1, 2]}
    body: dict[str, Any] = {"columns": columns, "targets": ["y"]}
    seen = http.post("/api/datasets?validate_only=true", json=body)
    (fault,) = seen.json()["faults"]
    assert (fault["pointer"], seen.status_code) == ("#/columns/day/0", 200)
    assert "set its type to date" in fault["detail"]
    assert pointers(http.post("/api/datasets", json=body)) == ["#/columns/day/0"]
    assert http.post("/api/datasets", json={**body, "types": {"day": "date"}}).status_code == 201
