"""No body costs much more than its own bytes, on whatever route it is sent."""

import json
from functools import cache
from pathlib import Path

import httpx
import pytest

from service.client import Client
from tests.support.document import document
from tests.support.serving import RunningService

SIZE = 4 << 20
"""Bytes of each body: many times what a recipe may have."""
NAMES = {"model": "hostile", "version": "0", "dataset": "hostile", "job": "hostile"}
METHODS = ("post", "put", "patch", "delete")


def repeated(start: bytes, item: bytes, end: bytes) -> bytes:
    return start + (item + b",") * (SIZE // (len(item) + 1) - 1) + item + end


@cache
def many_keys() -> bytes:
    return b"{%b}" % b",".join([b'"%d":0' % i for i in range(SIZE // 11)])


def fields(path: str) -> tuple[bytes, bytes]:
    """The text before and behind a list of values where this route takes one."""
    if path.endswith("/infer"):
        return b'{"inputs":[{"name":"inputs","shape":[2,2],"datatype":"FP32","data":[', b"]}]}"
    if path == "/api/datasets":
        return b'{"targets":["y"],"columns":{"y":[', b"]}}"
    if path.endswith("/parameters"):
        return b'{"layers":[{"bias":[1],"weight":[', b"]}]}"
    if path == "/api/models":
        return b'{"architecture":"Dense(2 => 1)","parameters":[{"bias":[1],"weight":[', b"]}]}"
    return (b'{"instances":[' if path.endswith(("invocations", ":predict")) else b'{"inputs":['), b"]}"


def bodies(path: str) -> dict[str, bytes]:
    start, end = fields(path)
    return {
        "many keys": many_keys(),
        "many lists": repeated(start, b"[]", end),
        "many objects": repeated(start, b"{}", end),
        "many texts": repeated(start, b'"a"', end),
        "many nulls": repeated(start, b"null", end),
        "many values": repeated(b"[", b"0", b"]"),
        "deep lists": start + b"[" * SIZE + end,
        "deep objects": b'{"a":' * (SIZE // 6) + b"1" + b"}" * (SIZE // 6),
        "a long text": start + b'"' + b"a" * SIZE + b'"' + end,
        "a long name": b'{"%b":0}' % (b"a" * SIZE),
        "a long number": start + b"1" * SIZE + end,
        "a long fraction": start + b"0." + b"1" * SIZE + end,
    }


def routes() -> list[tuple[str, str]]:
    """Every method and path of the service that may come with a body."""
    paths = document()["paths"]
    return [
        (method, path)
        for path, operations in paths.items()
        for method in METHODS
        if "requestBody" in operations.get(method, {})
    ]


def peak(service: RunningService, *, reset: bool = False) -> int:
    """The most bytes that the service's process had since the last reset."""
    folder = Path("/proc") / str(service.process.pid)
    if reset:
        (folder / "clear_refs").write_text("5")
    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10


@pytest.fixture(scope="session", autouse=True)
def model(client: Client) -> None:
    client.create_model("Dense(2 => 1)", name=NAMES["model"])


def test_there_are_routes_that_take_bodies() -> None:
    assert {("post", "/api/jobs"), ("patch", "/api/models/{model}"), ("post", "/v2/models/{model}/infer")} <= {
        *routes()
    }


@pytest.mark.parametrize(("method", "path"), routes())
def test_no_hostile_body_takes_much_memory(service: RunningService, http: httpx.Client, method: str, path: str) -> None:
    address = path.format_map(NAMES)
    for kind, body in bodies(path).items():
        before = peak(service, reset=True)
        answer = http.request(method, address, content=body, headers={"Content-Type": "application/json"})
        taken = peak(service) - before
        assert 400 <= answer.status_code < 500, (kind, answer.text[:500])
        assert len(json.loads(answer.content)["errors"]) <= 20, kind
        assert taken <= 4 * len(body) + (64 << 20), (kind, taken >> 20)
