"""The Open Inference Protocol by hand, in requests that stock clients do not send."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from service.client import Client
from tests.support.problems import problem

LENGTH = "Inference-Header-Content-Length"
ROWS = np.array([[1, 2], [3, 4], [-5, 0.5]], np.float32)
SUMS = [[3.0], [7.0], [-4.5]]


@pytest.fixture(scope="session")
def path(client: Client) -> str:
    """The path of inference by a model that adds two numbers."""
    model = client.create_model("Dense(2 => 1)", name="adder", parameters=[{"weight": [[1, 1]], "bias": [0]}])
    return f"/v2/models/{model.id}/infer"


def tensor(data: Any, shape: tuple[int, ...] = (3, 2), datatype: str = "FP32", **more: Any) -> dict[str, Any]:
    return {"name": "inputs", "shape": shape, "datatype": datatype, "data": data, **more}


def binary(data: bytes, shape: tuple[int, ...] = (3, 2), datatype: str = "FP32") -> dict[str, Any]:
    return {
        "name": "inputs",
        "shape": shape,
        "datatype": datatype,
        "parameters": {"binary_data_size": len(data)},
    }


def framed(request: dict[str, Any], *data: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with binary tensors, and its header."""
    head = json.dumps(request).encode()
    return b"".join([head, *data]), {LENGTH: str(len(head))}


def outputs(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert (output["name"], output["datatype"]) == ("outputs", "FP32")
    return np.array(output["data"]).reshape(output["shape"]).tolist()


@pytest.mark.parametrize(
    "data", [ROWS.tolist(), ROWS.ravel().tolist(), [1, 2, 3, 4, -5, 0.5]], ids=["nested", "flat", "mixed"]
)
def test_elements_come_flat_or_nested(http: httpx.Client, path: str, data: Any) -> None:
    answer = http.post(path, json={"inputs": [tensor(data)]})
    assert outputs(answer) == SUMS
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"model_name", "model_version", "outputs"}


@pytest.mark.parametrize("nested", [True, False])
def test_long_bodies_are_read_as_short_ones_are(http: httpx.Client, path: str, nested: bool) -> None:
    rows = np.arange(4000.0).reshape(2000, 2) / 8
    data: list[Any] = rows.tolist() if nested else rows.ravel().tolist()
    request: dict[str, Any] = {"id": "[", "inputs": [tensor(data, (2000, 2), "FP64")]}
    expected = rows.sum(axis=1, keepdims=True).tolist()
    assert outputs(http.post(path, json={"inputs": request["inputs"]})) == expected
    assert outputs(http.post(path, json=request)) == expected
    for index, spoilt in enumerate(("x", True, None, [1, 2, 3])):
        data[7] = spoilt
        answer = problem(http.post(path, json={"inputs": [tensor(data, (2000, 2), "FP64")]}), 400)
        assert answer["errors"][0]["pointer"].startswith("#/inputs/0/data"), index
    hidden = [[1.0, 2.0], []]  # as many numbers and elements as there should be
    data[7:9] = [hidden, [1.0, 2.0]] if nested else hidden
    problem(http.post(path, json={"inputs": [tensor(data, (2000, 2), "FP64")]}), 400)


def test_no_content_type_and_any_content_type_are_taken(http: httpx.Client, path: str) -> None:
    body = json.dumps({"inputs": [tensor(ROWS.tolist())]}).encode()
    bare = http.build_request("POST", path, content=body)
    assert "content-type" not in bare.headers
    assert outputs(http.send(bare)) == SUMS
    assert outputs(http.post(path, content=body, headers={"Content-Type": "text/plain"})) == SUMS


def test_members_that_are_null_or_unknown_are_as_good_as_absent(http: httpx.Client, path: str) -> None:
    request = {
        "id": None,
        "parameters": None,
        "outputs": None,
        "model_name": "x",
        "inputs": [tensor(ROWS.tolist(), parameters={"content_type": "np", "headers": None}, more=1)],
    }
    assert outputs(http.post(path, json=request)) == SUMS
    assert outputs(http.post(path, json={"inputs": [tensor(ROWS.tolist(), parameters=None)], "outputs": []})) == SUMS


def test_an_id_comes_back(http: httpx.Client, path: str) -> None:
    for id in ("7", "", "ü"):
        assert http.post(path, json={"id": id, "inputs": [tensor(ROWS.tolist())]}).json()["id"] == id


def test_a_body_of_nothing_but_numbers_is_the_only_input(http: httpx.Client, path: str) -> None:
    answer = http.post(path, content=ROWS.tobytes(), headers={LENGTH: "0"})
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    (output,) = json.loads(answer.content[:length])["outputs"]
    assert output == {
        "name": "outputs",
        "datatype": "FP32",
        "shape": [3, 1],
        "parameters": {"binary_data_size": 12},
    }
    assert np.frombuffer(answer.content[length:], "<f4").tolist() == [3, 7, -4.5]
    for bad in (b"", b"123", ROWS.tobytes() + b"1234"):
        assert "8 bytes" in problem(http.post(path, content=bad, headers={LENGTH: "0"}), 400)["error"]


@pytest.mark.parametrize("shift", range(4))
def test_bytes_are_read_wherever_they_begin(http: httpx.Client, path: str, shift: int) -> None:
    head = json.dumps({"inputs": [binary(ROWS.tobytes())]}).encode()
    head += b" " * ((shift - len(head)) % 4)
    answer = http.post(path, content=head + ROWS.tobytes(), headers={LENGTH: str(len(head))})
    assert outputs(answer) == SUMS


@pytest.mark.parametrize(("all_of_them", "this_one"), [(True, None), (False, True), (None, True), (True, False)])
def test_an_output_is_binary_where_that_is_said_of_it_or_of_all(
    http: httpx.Client, path: str, all_of_them: bool | None, this_one: bool | None
) -> None:
    output: dict[str, Any] = {"name": "outputs"}
    if this_one is not None:
        output["parameters"] = {"binary_data": this_one}
    request: dict[str, Any] = {"inputs": [tensor(ROWS.tolist())], "outputs": [output]}
    if all_of_them is not None:
        request["parameters"] = {"binary_data_output": all_of_them}
    answer = http.post(path, json=request)
    is_binary = all_of_them if this_one is None else this_one
    assert (LENGTH.lower() in answer.headers) == is_binary
    assert ("data" in json.loads(answer.content[: int(answer.headers.get(LENGTH, 10**6))])["outputs"][0]) != is_binary


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_the_length_of_the_json_is_that_before_compression(
    http: httpx.Client, path: str, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    body, headers = framed({"inputs": [binary(ROWS.tobytes())]}, ROWS.tobytes())
    answer = http.post(path, content=compress(body), headers={**headers, "Content-Encoding": coding})
    assert outputs(answer) == SUMS


def test_answers_are_compressed_where_that_is_wanted_and_pays(http: httpx.Client, path: str) -> None:
    rows = np.ones((5000, 2), np.float32)
    body, headers = framed({"inputs": [binary(rows.tobytes(), rows.shape)]}, rows.tobytes())
    for accepted, coding in (
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0.5, deflate", "deflate"),
        ("br, *", "gzip"),
        ("gzip;q=0, *;q=0.1", "deflate"),
        ("identity", None),
        ("br", None),
        ("gzip;q=0, deflate;q=0", None),
        ("", None),
        (";;q=,gzip;q=x", "gzip"),
    ):
        answer = http.post(path, content=body, headers={**headers, "Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == coding, accepted
        assert outputs(answer) == [[2.0]] * 5000
    small = http.post(path, json={"inputs": [tensor(ROWS.tolist())]}, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in small.headers


def test_an_epoch_and_a_version_may_stand_in_the_query(client: Client, path: str) -> None:
    request = {"inputs": [tensor(ROWS.tolist())]}
    assert client.http.post(f"{path}?version=0", json=request).json()["model_version"] == "0"
    problem(client.http.post(f"{path}?version=1", json=request), 404)
    problem(client.http.post(f"{path}?version=x", json=request), 400)
    problem(client.http.post(f"{path}?epoch=3", json=request), 404)
    problem(client.http.get("/v2/models/adder?version=9"), 404)


INPUT = tensor(ROWS.tolist())
WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([], "#"),
    "nothing": ({}, "#/inputs"),
    "no inputs": ({"inputs": []}, "#/inputs"),
    "id": ({"id": 7, "inputs": [INPUT]}, "#/id"),
    "parameters": ({"parameters": [], "inputs": [INPUT]}, "#/parameters"),
    "flag": ({"parameters": {"binary_data_output": "yes"}, "inputs": [INPUT]}, "#/parameters/binary_data_output"),
    "name": ({"inputs": [{**INPUT, "name": "x"}]}, "#/inputs/0/name"),
    "two of a name": ({"inputs": [INPUT, INPUT]}, "#/inputs/1/name"),
    "one too many": ({"inputs": [INPUT, {**INPUT, "name": "x"}]}, "#/inputs/1/name"),
    "datatype": ({"inputs": [{**INPUT, "datatype": "FP8"}]}, "#/inputs/0/datatype"),
    "texts": ({"inputs": [tensor(["1"] * 6, datatype="BYTES")]}, "#/inputs/0/name"),
    "text": ({"inputs": [tensor(["1"] * 6)]}, "#/inputs/0/data/0"),
    "no text": ({"inputs": [tensor([1] * 6, datatype="BYTES")]}, "#/inputs/0/data/0"),
    "boolean": ({"inputs": [tensor([1, True] * 3)]}, "#/inputs/0/data/1"),
    "no boolean": ({"inputs": [tensor([True, 1] * 3, datatype="BOOL")]}, "#/inputs/0/data/1"),
    "null": ({"inputs": [tensor([1, None] * 3)]}, "#/inputs/0/data/1"),
    "no list": ({"inputs": [tensor(1)]}, "#/inputs/0/data"),
    "no data": ({"inputs": [{**INPUT, "data": None}]}, "#/inputs/0/data"),
    "too few": ({"inputs": [tensor([1] * 5)]}, "#/inputs/0/data"),
    "ragged": ({"inputs": [tensor([[1, 2], [3, 4], [5]])]}, "#/inputs/0/data"),
    "too deep": ({"inputs": [tensor([[[1], [2]]] * 3)]}, "#/inputs/0/data/0/0"),
    "fraction": ({"inputs": [tensor([[1, 2], [3, 4], [5, 0.5]], datatype="INT8")]}, "#/inputs/0/data/2/1"),
    "beyond": ({"inputs": [tensor([1, 2, 3, 4, 5, 128], datatype="INT8")]}, "#/inputs/0/data/5"),
    "below": ({"inputs": [tensor([1, 2, 3, 4, 5, -1], datatype="UINT64")]}, "#/inputs/0/data/5"),
    "half": ({"inputs": [tensor([1, 2, 3, 4, 5, 1e5], datatype="FP16")]}, "#/inputs/0/data/5"),
    "single": ({"inputs": [tensor([1, 2, 3, 4, 5, 1e39])]}, "#/inputs/0/data/5"),
    "upper half": ({"inputs": [tensor([1] * 6, datatype="BF16")]}, "#/inputs/0/data/0"),
    "shape": ({"inputs": [tensor([1] * 6, (2, 3))]}, "#/inputs/0/shape"),
    "flat shape": ({"inputs": [tensor([1, 2], (2,))]}, "#/inputs/0/shape"),
    "scalar": ({"inputs": [tensor([1], ())]}, "#/inputs/0/shape"),
    "no rows": ({"inputs": [tensor([], (0, 2))]}, "#/inputs/0/shape"),
    "endless rows": ({"inputs": [tensor([], (0, 2**63 - 1))]}, "#/inputs/0/shape"),
    "negative": ({"inputs": [tensor([1] * 6, (-3, 2))]}, "#/inputs/0/shape/0"),
    "shape of truth": ({"inputs": [tensor([1, 2], (True, 2))]}, "#/inputs/0/shape/0"),
    "all dimensions": ({"inputs": [tensor([1], (1,) * 33)]}, "#/inputs/0/shape"),
    "bytes that are not there": ({"inputs": [binary(b"x" * 24)]}, "#/inputs/0/parameters/binary_data_size"),
    "both": ({"inputs": [{**INPUT, "parameters": {"binary_data_size": 24}}]}, "#/inputs/0/data"),
    "size": ({"inputs": [{**INPUT, "parameters": {"binary_data_size": -1}}]}, "#/inputs/0/parameters/binary_data_size"),
    "shared memory": (
        {"inputs": [{**INPUT, "parameters": {"shared_memory_region": "x"}}]},
        "#/inputs/0/parameters/shared_memory_region",
    ),
    "shared answer": (
        {"inputs": [INPUT], "outputs": [{"name": "outputs", "parameters": {"shared_memory_region": "x"}}]},
        "#/outputs/0/parameters/shared_memory_region",
    ),
    "output twice": ({"inputs": [INPUT], "outputs": [{"name": "outputs"}] * 2}, "#/outputs/1/name"),
    "output": ({"inputs": [INPUT], "outputs": [{"name": "labels"}]}, "#/outputs/0/name"),
    "overflow": ({"inputs": [tensor([[0, 1], [3e38, 3e38]], (2, 2))]}, "#/inputs/0/data/1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_place(http: httpx.Client, path: str, name: str) -> None:
    request, pointer = WRONG[name]
    answer = problem(http.post(path, json=request), 400)
    assert [error["pointer"] for error in answer["errors"]] == [pointer]


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"inputs": NaN}', "[" * 10_000, '{"id": "\\ud800", "inputs": []}'])
def test_what_is_no_json_is_refused(http: httpx.Client, path: str, text: str) -> None:
    problem(http.post(path, content=text), 400)


@pytest.mark.parametrize("value", ["-1", "x", "1.0", "+5", "1e2", "٣", "99999999999999999999", "1000"])
def test_a_length_that_cannot_be_is_refused(http: httpx.Client, path: str, value: str) -> None:
    body, _ = framed({"inputs": [binary(ROWS.tobytes())]}, ROWS.tobytes())
    answer = problem(http.post(path, content=body, headers=[(LENGTH.encode(), value.encode())]), 400)
    assert answer["errors"][0]["pointer"] == "header/inference-header-content-length"


def test_bytes_must_be_as_many_as_announced(http: httpx.Client, path: str) -> None:
    data = ROWS.tobytes()
    for request, sent in (
        ({"inputs": [binary(data)]}, data + b"x"),
        ({"inputs": [binary(data)]}, data[:-1]),
        ({"inputs": [binary(data[:-4])]}, data[:-4]),
        ({"inputs": [tensor(ROWS.tolist())]}, b"x"),
        ({"inputs": [binary(b"\x02" * 6, datatype="BOOL")]}, b"\x02" * 6),
        ({"inputs": [binary(data, datatype="BYTES")]}, data),
    ):
        body, headers = framed(request, sent)
        problem(http.post(path, content=body, headers=headers), 400)


@pytest.mark.parametrize(
    "texts", [struct.pack("<I", 5) + b"abc", b"ab", struct.pack("<I", 2**32 - 1), struct.pack("<I", 2) + b"\xff\xfe"]
)
def test_texts_that_are_cut_or_no_utf_8_are_refused(http: httpx.Client, path: str, texts: bytes) -> None:
    body, headers = framed({"inputs": [binary(texts, (1, 1), "BYTES")]}, texts)
    answer = problem(http.post(path, content=body, headers=headers), 400)
    assert answer["errors"][0]["pointer"] == "#/inputs/0/parameters/binary_data_size"


def test_models_are_named_and_paths_that_are_not_there_are_told(client: Client, path: str) -> None:
    names = client.http.get("/v2/models").json()["models"]
    assert "adder" in names
    assert client.http.get("/v2/health/ready").json() == {"live": True, "ready": True}
    assert client.http.get("/v2/models/adder/ready").json() == {"name": "adder", "ready": True}
    problem(client.http.get("/v2/models/adder/versions/0.0/ready"), 400)
    problem(client.http.get("/v2/models/adder/versions/9999999999"), 400)
    for missing in ("/v2/models/adder/generate", "/v2/trace/setting", "/v2/models/adder/versions/0/nothing"):
        problem(client.http.get(missing), 404)
    refused = client.http.get(path)
    assert problem(refused, 405)["error"]
    assert refused.headers["allow"] == "OPTIONS, POST"
