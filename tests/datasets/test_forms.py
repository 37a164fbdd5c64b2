"""Datasets that come in a form: the file and the words of the query as fields, in any order, never whole in memory."""

from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow
import pytest

from service.http.bodies import form_data
from tests.support.datasets.writing import as_parquet
from tests.support.document import document
from tests.support.problems import pointers, problem

TEXT = b"x,k,y\n1,a,2\n2,b,3\n3,a,4\n"
Fields = list[tuple[str, str]]


def part(name: str, value: bytes, more: str = "", kind: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}\r\n'
    return f"--b\r\n{head}{f'Content-Type: {kind}{chr(13)}{chr(10)}' if kind else ''}\r\n".encode() + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--b--\r\n"


def send(http: httpx.Client, *parts: bytes, query: str = "", **headers: str) -> httpx.Response:
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    return http.post(f"/api/datasets{query}", content=form(*parts), headers={**kind, **headers})


def file(body: bytes = TEXT, name: str = "churn.csv", kind: str = "application/octet-stream") -> bytes:
    return part("file", body, f'; filename="{name}"', kind)


def fields(**values: str) -> list[bytes]:
    return [part(name, value.encode()) for name, value in values.items()]


def test_a_form_makes_the_dataset_that_a_body_and_a_query_make(http: httpx.Client) -> None:
    query = {"targets": "y", "test_last": "1", "ignore": "k"}
    wanted = http.post("/api/datasets", params=query, content=TEXT, headers={"Content-Type": "text/csv"}).json()
    for parts in ([*fields(**query), file()], [file(), *fields(**query)]):
        answer = send(http, *parts)
        assert answer.status_code == 201, answer.text
        assert answer.json()["sha256"] == wanted["sha256"]
        assert answer.headers["Location"] == f"/api/datasets/{answer.json()['id']}"


def test_httpx_sends_files_and_repeated_fields(http: httpx.Client) -> None:
    data: dict[str, Any] = {"targets": ["x", "y"], "name": "", "delimiter": ""}
    answer = http.post("/api/datasets", data=data, files={"file": ("churn.csv", TEXT, "text/csv")})
    assert [each["name"] for each in answer.json()["targets"]] == ["x", "y"]


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/vnd.ms-excel", "text/csv", ""])
def test_a_file_is_csv_whatever_browsers_call_it(http: httpx.Client, kind: str) -> None:
    assert send(http, file(kind=kind), *fields(targets="y")).json()["rows"] == 3
    assert send(http, file(b"PAR1,y\n1,2\n", kind=kind), *fields(targets="y")).json()["rows"] == 1


def test_other_files_are_known_by_their_first_bytes(http: httpx.Client) -> None:
    body = as_parquet(pyarrow.table({"x": [1, 2], "y": [3, 4]}))
    assert send(http, file(body, "data.bin"), *fields(targets="y")).json()["rows"] == 2


def test_the_charset_of_the_file_counts(http: httpx.Client) -> None:
    body = "Ort,y\nKöln,1\nBonn,2\n".encode("latin-1")
    answer = send(http, file(body, kind="text/csv; charset=latin-1"), *fields(targets="y"))
    assert answer.json()["features"][0]["categories"] == ["Bonn", "Köln"]


def test_a_form_is_looked_at_before_it_is_loaded(http: httpx.Client) -> None:
    found = send(http, file(), *fields(targets="z", validate_only="true")).json()
    assert [each["name"] for each in found["features"]] == ["x", "k", "y"]
    assert [each["pointer"] for each in found["faults"]] == ["form/targets"]


def test_words_may_stand_in_the_query_too(http: httpx.Client) -> None:
    assert send(http, file(), *fields(ignore="k"), query="?targets=y").json()["ignored"] == ["k"]
    assert pointers(send(http, file(), *fields(seed="1"), query="?targets=y&seed=2")) == ["query/seed"]


@pytest.mark.parametrize(
    ("parts", "pointer"),
    [
        ([file()], "form/targets"),
        (fields(targets="y"), "form/file"),
        ([file(), file(), *fields(targets="y")], "form/file"),
        ([file(), *fields(targets="y", tragets="y")], "form/tragets"),
        ([file(), *fields(targets="y", test_last="many")], "form/test_last"),
        ([file(), *fields(targets="z")], "form/targets"),
        ([file(), part("targets", b"\xff")], "form/targets"),
        ([file(), b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n"], "#"),
        ([part("file", TEXT, "", "text/csv\r\nContent-Transfer-Encoding: base64")], "#"),
    ],
)
def test_faults_name_the_field(http: httpx.Client, parts: list[bytes], pointer: str) -> None:
    answer = send(http, *parts)
    assert pointers(answer) == [pointer]
    assert "query/" not in answer.json()["detail"]


@pytest.mark.parametrize("body", [b"", b"nonsense", form(file())[:-4], form(file(), *fields(targets="y"))[:80]])
def test_a_form_that_breaks_off_leaves_nothing(http: httpx.Client, body: bytes) -> None:
    before = http.get("/api/datasets").json()
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    assert problem(http.post("/api/datasets", content=body, headers=kind), 422)["code"] == "malformed"
    assert problem(http.post("/api/datasets", content=body, headers={"Content-Type": "multipart/form-data"}), 422)
    assert http.get("/api/datasets").json() == before


def test_fields_are_limited_in_number_and_size(http: httpx.Client) -> None:
    many = [part("ignore", b"k")] * (form_data.MOST_FIELDS + 1)
    assert problem(send(http, file(), *many), 422)["code"] == "too_many_fields"
    problem(send(http, file(), part("name", b"n" * (form_data.MOST_BYTES + 1))), 413)
    problem(send(http, file(), **{"Content-Encoding": "gzip"}), 415)


def test_a_key_finds_the_same_form_under_another_boundary(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "the-same-form"}

    def again(targets: str) -> httpx.Response:
        return http.post("/api/datasets", data={"targets": targets}, files={"file": TEXT}, headers=key)

    first, second = again("y"), again("y")
    assert first.request.headers["content-type"] != second.request.headers["content-type"]
    assert (first.json()["id"], second.headers["Idempotent-Replayed"]) == (second.json()["id"], "true")
    assert problem(again("x"), 422)["code"] == "key_reused"


def test_a_large_file_arrives_piece_by_piece(http: httpx.Client) -> None:
    rows = 200_000

    def pieces() -> Iterator[bytes]:
        yield part("file", b"", '; filename="t.csv"')[:-2] + b"x,y\n"
        for start in range(0, rows, 5000):
            yield b"".join(b"%d,%d\n" % (row, 2 * row) for row in range(start, start + 5000))
        yield b"\r\n" + form(*fields(targets="y"))

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    assert http.post("/api/datasets", content=pieces(), headers=kind).json()["rows"] == rows


def test_the_document_shows_a_file_and_the_words_of_the_query() -> None:
    body = document()["paths"]["/api/datasets"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert body["properties"]["file"]["format"] == "binary"
    assert {"targets", "test_last", "validate_only"} <= set(body["properties"])
