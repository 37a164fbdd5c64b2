"""Bodies with a Content-Encoding, wherever they are sent."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from service.client import Client
from service.errors import Invalid, TooLarge
from service.http.compression import Inflate
from tests.support.problems import pointers, problem
from tests.support.training import LINE, straight

CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
}
LIMIT = 32 << 20


def send(http: httpx.Client, path: str, body: bytes | Iterator[bytes], coding: str) -> httpx.Response:
    return http.post(path, content=body, headers={"Content-Type": "application/json", "Content-Encoding": coding})


@pytest.mark.parametrize("coding", CODINGS)
def test_json_may_be_sent_compressed_to_any_endpoint(client: Client, coding: str) -> None:
    model = straight(client, parameters=[{"weight": [[2]], "bias": [1]}])
    compress = CODINGS[coding]

    body = compress(json.dumps({"inputs": [[3]]}).encode())
    assert send(client.http, f"/api/models/{model.id}/predictions", body, coding).json()["outputs"] == [[7]]
    pieces = (body[index : index + 1] for index in range(len(body)))
    assert send(client.http, f"/api/models/{model.id}/predictions", pieces, coding).json()["outputs"] == [[7]]
    made = send(client.http, "/api/datasets", compress(json.dumps(LINE).encode()), coding)
    assert (made.status_code, made.json()["rows"]) == (201, 6)


def test_names_of_codings_have_no_case_and_identity_is_none(http: httpx.Client) -> None:
    body = b'{"architecture": "Dense(1 => 1)"}'
    assert send(http, "/api/models", gzip.compress(body), "GZIP").status_code == 201
    assert send(http, "/api/models", body, "identity").status_code == 201


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "x" * 1000])
def test_other_codings_are_415(http: httpx.Client, coding: str) -> None:
    assert "gzip" in problem(send(http, "/api/models", b"{}", coding), 415)["detail"]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda body: b"{}", "is not"),
        (lambda body: body[:-1], "ends before"),
        (lambda body: body[:1], "ends before"),
        (lambda body: body + b"x", "goes on"),
        (lambda body: body[:-6] + bytes(6), "is not"),
    ],
    ids=["plain", "cut", "one byte", "longer", "wrong sum"],
)
def test_what_cannot_be_decompressed_is_422(
    http: httpx.Client, coding: str, spoil: Callable[[bytes], bytes], sentence: str
) -> None:
    body = spoil(CODINGS[coding](b'{"architecture": "Dense(1 => 1)"}'))
    answer = send(http, "/api/models", body, coding)
    assert pointers(answer) == ["#"]
    assert sentence in answer.json()["detail"]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_small_body_that_becomes_a_large_one_is_413(client: Client, coding: str) -> None:
    http, model = client.http, straight(client).id
    bomb = CODINGS[coding](b" " * (LIMIT + 1))
    assert len(bomb) < LIMIT / 500
    assert "decompressed" in problem(send(http, "/api/models", bomb, coding), 413)["detail"]
    assert "decompressed" in problem(send(http, f"/v2/models/{model}/infer", bomb, coding), 413)["error"]


def test_a_request_without_a_body_may_say_that_it_is_compressed(http: httpx.Client) -> None:
    assert http.get("/api/models", headers={"Content-Encoding": "gzip"}).status_code == 200
    assert problem(send(http, "/api/jobs/none/cancel", b"", "gzip"), 404)["code"] == "job_not_found"


def test_no_more_is_decompressed_than_may_be_kept() -> None:
    bomb = gzip.compress(bytes(32 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            Inflate("gzip", limit=1000)(bomb, True)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_body_may_be_as_large_as_the_limit_once_decompressed() -> None:
    inflate = Inflate("gzip", limit=1000)
    assert inflate(gzip.compress(b"x" * 1000), True) == b"x" * 1000
    with pytest.raises(TooLarge):
        Inflate("gzip", limit=999)(gzip.compress(b"x" * 1000), True)
    with pytest.raises(Invalid):
        Inflate("gzip", limit=1000)(gzip.compress(b"x" * 1000)[:-9], True)
