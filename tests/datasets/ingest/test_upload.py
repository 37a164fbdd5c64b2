"""A body that is sent as a file is read on arrival, listed as loading, and kept whole or not at all."""

import gzip
import io
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow
import pytest
from pyarrow import ipc, parquet

from service.client import Client
from tests.support.datasets.uploading import CSV, HEADER, SlowUpload, connection, lines, send_head, upload
from tests.support.problems import pointers, problem
from tests.support.serving import RunningService, wait_for
from tests.support.training import straight

ROWS = 150_000
"""Rows of x and 4x + 2: about two megabytes."""


@pytest.fixture
def name() -> str:
    return f"upload-{uuid.uuid4().hex}"


@pytest.fixture
def files(service: RunningService) -> Callable[[], set[Path]]:
    return lambda: set((service.folder / "datasets").iterdir())


def state(http: httpx.Client, name: str) -> str | None:
    answer = http.get(f"/api/datasets/{name}")
    return answer.json()["state"] if answer.status_code == 200 else None


@pytest.fixture
def loading(http: httpx.Client, service: RunningService, name: str) -> Iterator[SlowUpload]:
    """A dataset whose first two thirds have arrived; the rest comes at the end of the test at the latest."""
    sending = SlowUpload(service.url, HEADER + lines(ROWS), lines(ROWS // 2, ROWS), name=name, test_last=5)
    try:
        wait_for(lambda: state(http, name) == "loading")
        yield sending
    finally:
        sending.finish()


def test_a_large_dataset_is_listed_while_it_comes_and_then_ready(
    http: httpx.Client, name: str, loading: SlowUpload
) -> None:
    wait_for(lambda: (http.get(f"/api/datasets/{name}").json()["progress"] or 0) > 0.5)
    shown = http.get(f"/api/datasets/{name}").json()
    assert shown["state"] == "loading"
    assert 0.5 < shown["progress"] < 0.75
    assert (shown["rows"], shown["sha256"]) == (0, None)
    for query, listed in {"": True, "?state=loading": True, "?state=ready": False}.items():
        names = [each["name"] for each in http.get(f"/api/datasets{query}").json()["items"]]
        assert (name in names) == listed

    created = loading.finish()
    assert created is not None
    assert created.status_code == 201
    assert created.json() == http.get(f"/api/datasets/{name}").json()
    assert (created.json()["id"], created.json()["created_at"]) == (shown["id"], shown["created_at"])
    assert (created.json()["state"], created.json()["progress"]) == ("ready", None)
    assert created.json()["parts"] == {"train": ROWS * 3 // 2 - 5, "validation": 0, "test": 5}


def test_a_loading_dataset_cannot_be_used(client: Client, name: str, loading: SlowUpload) -> None:
    http, model = client.http, straight(client)
    uses = [
        http.get(f"/api/datasets/{name}/rows"),
        http.get(f"/api/datasets/{name}/statistics"),
        http.get(f"/api/datasets/{name}/content"),
        http.delete(f"/api/datasets/{name}"),
        http.post("/api/jobs", json={"model": model.id, "dataset": name}),
        http.post(f"/api/models/{model.id}/predictions", json={"dataset": name, "part": "test"}),
        http.post(f"/api/models/{model.id}/evaluations", json={"dataset": name, "part": "test"}),
    ]
    for answer in uses:
        assert problem(answer, 409)["code"] == "dataset_loading", answer.request.url
    assert state(http, name) == "loading"


def test_the_name_of_a_loading_dataset_is_taken(http: httpx.Client, name: str, loading: SlowUpload) -> None:
    assert problem(upload(http, HEADER + lines(2), name=name), 409)["code"] == "name_taken"


def test_of_two_uploads_with_one_name_the_later_one_is_refused(
    http: httpx.Client, service: RunningService, name: str, files: Callable[[], set[Path]]
) -> None:
    before = files()
    with_little = SlowUpload(service.url, HEADER, lines(ROWS), name=name)  # too little to be listed
    wait_for(lambda: len(files() - before) == 1)
    assert upload(http, HEADER + lines(2), name=name).status_code == 201

    refused = with_little.finish()
    assert refused is not None
    assert problem(refused, 409)["code"] == "name_taken"
    wait_for(lambda: len(files() - before) == 1)


def test_a_client_that_goes_away_leaves_nothing(
    http: httpx.Client, service: RunningService, name: str, files: Callable[[], set[Path]]
) -> None:
    before = files()
    with connection(service) as leaving:
        send_head(leaving, name, size=10_000_000)
        leaving.sendall(HEADER + lines(ROWS))
        wait_for(lambda: state(http, name) == "loading")
        assert files() > before
    wait_for(lambda: state(http, name) is None)
    wait_for(lambda: files() == before)


def test_a_fault_far_into_a_body_leaves_nothing(http: httpx.Client, name: str, files: Callable[[], set[Path]]) -> None:
    before = files()
    answer = upload(http, HEADER + lines(ROWS) + b"1,two\n" + lines(ROWS), name=name)
    assert pointers(answer) == [f"#/columns/y/{ROWS}"]
    assert f"Line {ROWS + 2}" in answer.json()["detail"]
    assert state(http, name) is None
    assert files() == before


def test_a_taken_name_is_refused_before_the_body_is_sent(
    http: httpx.Client, service: RunningService, name: str
) -> None:
    upload(http, HEADER + lines(2), name=name)
    with connection(service) as waiting:
        send_head(waiting, name, size=10_000_000, more="Expect: 100-continue\r\n")
        assert waiting.recv(12) == b"HTTP/1.1 409"


def test_a_taken_name_is_refused_where_the_body_is_sent_all_the_same(http: httpx.Client, name: str) -> None:
    upload(http, HEADER + lines(2), name=name)
    assert problem(upload(http, HEADER + lines(1_000_000), name=name), 409)["code"] == "name_taken"


@pytest.mark.parametrize("rows", [3, ROWS])
def test_the_same_upload_under_a_key_is_done_once(http: httpx.Client, name: str, rows: int) -> None:
    headers, body = {"Idempotency-Key": uuid.uuid4().hex}, HEADER + lines(rows)
    first, second = (upload(http, body, headers=headers, name=name) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (second.content, second.headers["location"]) == (first.content, first.headers["location"])
    assert second.headers["idempotent-replayed"] == "true"

    other = upload(http, body + lines(1), headers=headers, name=name)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_an_upload_that_failed_may_be_corrected_under_its_key(http: httpx.Client, name: str) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    assert upload(http, HEADER + b"1,\n", headers=headers, name=name).status_code == 422
    assert upload(http, HEADER + b"1,2\n", headers=headers, name=name).status_code == 201


def test_the_key_of_an_upload_under_way_is_a_conflict(http: httpx.Client, service: RunningService, name: str) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    sending = SlowUpload(service.url, HEADER + lines(ROWS), lines(1, ROWS), headers, name=name)
    try:
        wait_for(lambda: state(http, name) == "loading")
        answer = upload(http, HEADER + lines(1), headers=headers)
        assert problem(answer, 409)["code"] == "key_in_flight"
    finally:
        finished = sending.finish()
    assert finished is not None
    assert finished.status_code == 201


def test_a_body_of_unknown_size_has_no_progress(http: httpx.Client, name: str) -> None:
    released = threading.Event()

    def body() -> Iterator[bytes]:
        yield HEADER + lines(ROWS)
        released.wait()
        yield lines(1)

    sending = threading.Thread(target=lambda: upload(http, body(), name=name))
    sending.start()
    wait_for(lambda: state(http, name) == "loading")
    assert http.get(f"/api/datasets/{name}").json()["progress"] is None
    released.set()
    sending.join()
    assert state(http, name) == "ready"


@pytest.mark.parametrize("coding", [{}, {"Content-Encoding": "gzip"}, {"Content-Encoding": "identity"}])
def test_a_packed_body_is_the_same_dataset(http: httpx.Client, coding: dict[str, str]) -> None:
    plain, packed = (
        upload(http, body, headers=coding) for body in (HEADER + lines(9), gzip.compress(HEADER + lines(9)))
    )
    assert packed.json()["sha256"] == plain.json()["sha256"]


def test_other_codings_are_415(http: httpx.Client) -> None:
    answer = upload(http, HEADER + lines(9), headers={"Content-Encoding": "br"})
    assert "'br'" in problem(answer, 415)["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"targets": []}, "query/targets"),
        ({"targets": "z"}, "query/targets"),
        ({"targets": ["x", "y"]}, "query/targets"),
        ({"types": "x"}, "query/types"),
        ({"types": "x:number"}, "query/types"),
        ({"missing": "keep"}, "query/missing"),
        ({"test_fraction": 1}, "query/test_fraction"),
        ({"test_fraction": "nan"}, "query/test_fraction"),
        ({"test_first": -1}, "query/test_first"),
        ({"test_first": 9}, "query/test_first"),
        ({"test_first": 1, "test_last": 1}, "query/test_last"),
        ({"test_last": 2, "validation_first": 2}, "query/validation_first"),
        ({"validation_fraction": 0.1, "validation_first": 1}, "query/validation_first"),
        ({"test_fraction": 0.5, "stratify": True}, "query/stratify"),
        ({"split_column": "part"}, "query/split_column"),
        ({"split_column": "x", "test_last": 1}, "query/split_column"),
        ({"seed": 2**53}, "query/seed"),
        ({"dtype": "int8"}, "query/dtype"),
        ({"name": "ds/1"}, "query/name"),
        ({"colour": "red"}, "query/colour"),
        ({"delimiter": ""}, "query/delimiter"),
    ],
)
def test_a_fault_in_the_query_is_pointed_at(http: httpx.Client, query: dict[str, Any], pointer: str) -> None:
    assert pointers(upload(http, HEADER + lines(3), **query)) == [pointer]


def test_a_query_beside_json_is_refused(http: httpx.Client) -> None:
    body = {"columns": {"x": [1], "y": [2]}, "targets": ["y"]}
    assert pointers(http.post("/api/datasets?seed=1", json=body)) == ["query/seed"]


def binary(form: str) -> bytes:
    """Rows of x and y = 4x + 2."""
    out = io.BytesIO()
    xs = np.arange(3.0)
    match form:
        case "npz":
            np.savez(out, x=xs, y=4 * xs + 2)
        case "npy":
            np.save(out, np.stack([xs, 4 * xs + 2], axis=1))
        case "parquet":
            parquet.write_table(pyarrow.table({"x": xs, "y": 4 * xs + 2}), out)
        case "arrow":
            table = pyarrow.table({"x": xs, "y": 4 * xs + 2})
            with ipc.new_file(out, table.schema) as writer:
                writer.write_table(table)
        case "arrow stream":
            table = pyarrow.table({"x": xs, "y": 4 * xs + 2})
            with ipc.new_stream(out, table.schema) as writer:
                writer.write_table(table)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("application/zip", "npz"),
        ("application/npz", "npz"),
        ("application/x-npz", "npz"),
        ("application/octet-stream", "npz"),
        ("application/octet-stream", "npy"),
        ("application/octet-stream", "parquet"),
        ("application/octet-stream", "arrow"),
        ("application/octet-stream", "arrow stream"),
    ],
)
def test_a_binary_body_is_known_by_its_media_type_or_its_first_bytes(http: httpx.Client, kind: str, form: str) -> None:
    names: dict[str, Any] = {"columns": ["x", "y"]} if form == "npy" else {}
    created = upload(http, binary(form), kind, **names)
    assert created.json()["sha256"] == upload(http, HEADER + lines(3)).json()["sha256"]


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"])
def test_other_forms_are_415(http: httpx.Client, kind: str) -> None:
    assert CSV in problem(upload(http, HEADER + lines(2), kind), 415)["detail"]


def test_a_415_lists_all_that_is_read(http: httpx.Client) -> None:
    detail = problem(upload(http, HEADER, "text/plain"), 415)["detail"]
    described = http.get("/openapi.json").json()["paths"]["/api/datasets"]["post"]["requestBody"]["content"]
    assert {"application/octet-stream", "application/zip", "application/npz"} < set(described)
    assert [form for form in described if form not in detail] == []


@pytest.mark.parametrize("kind", ["application/gzip", "application/x-gzip"])
def test_who_says_gzip_alone_learns_that_it_need_not_be_said(http: httpx.Client, kind: str) -> None:
    detail = problem(upload(http, gzip.compress(HEADER + lines(2)), kind), 415)["detail"]
    assert CSV in detail
    assert "gzip is recognised by itself" in detail
