"""Whatever arrives as an inference request is answered or refused, and never ends in an error of the service."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.errors import Invalid
from service.http.json_bodies import read_json
from service.inference import tensors as protocol_tensors
from service.inference.json_tensors import MOST_MEMBERS
from service.inference.operations import InferenceCall, infer
from service.inference.schemas import Datatype
from service.learning import notation
from service.learning.network import Network
from service.models.trained_network import TrainedNetwork

NETWORK = Network(notation.read("Dense(2 => 1)"))
TRAINED = TrainedNetwork("mdl", 0, None, False, NETWORK, NETWORK.initial(0))
DATATYPES = st.sampled_from(Datatype.__args__)  # type: ignore[attr-defined]  # the names of a Literal
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SHAPES = st.lists(st.integers(-1, 3), max_size=3) | st.sampled_from([[3, 2], [2**63 - 1, 2], [2**64, 0]])


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, Any]:
    """Tensors that are nearly right: each member is mostly as it should be, and sometimes anything."""
    made = {
        "name": draw(st.just("inputs") | st.text(max_size=3)),
        "shape": draw(st.just([2, 2]) | SHAPES | JSON),
        "datatype": draw(DATATYPES | JSON),
        "data": draw(st.just([1, 2, 3, 4]) | JSON),
        "parameters": draw(st.none() | st.fixed_dictionaries({"binary_data_size": st.integers(-1, 40) | JSON}) | JSON),
    }
    return {name: made[name] for name in made if draw(st.integers(0, 9)) or name == "name"}


REQUESTS = st.fixed_dictionaries(
    {"inputs": st.lists(tensors(), min_size=1, max_size=2) | JSON},
    optional={
        "id": st.text(max_size=3) | JSON,
        "parameters": st.fixed_dictionaries({"binary_data_output": st.booleans() | JSON}) | JSON,
        "outputs": st.lists(st.fixed_dictionaries({"name": st.just("outputs") | st.text()}), max_size=2) | JSON,
    },
)


def refused_or_answered(body: bytes, header_length: str | None) -> None:
    try:
        answer = infer(InferenceCall("m", body, header_length, "gzip"), TRAINED, 0)
    except Invalid as error:
        pointer = error.errors[0].pointer
    else:
        assert json.loads(answer.body[: answer.json_length])["outputs"]
        return
    assert pointer.startswith(("#", "header/"))


@settings(max_examples=80, derandomize=True, database=None)
@given(REQUESTS, st.binary(max_size=40), st.integers(-1, 1))
def test_requests_that_are_nearly_right(request: Any, data: bytes, off: int) -> None:
    head = json.dumps(request).encode()
    refused_or_answered(head, None)
    refused_or_answered(head + data, str(len(head) + off * (len(data) > 0)))


@settings(max_examples=60, derandomize=True, database=None)
@given(st.binary(max_size=60), st.none() | st.text(max_size=6) | st.integers(0, 70).map(str))
@example(b"", "0")
@example(b"", "")
@example(b"{}", "٢")
def test_bodies_and_lengths_that_are_anything(body: bytes, header_length: str | None) -> None:
    refused_or_answered(body, header_length)


@settings(max_examples=60, derandomize=True, database=None)
@given(JSON, JSON)
def test_long_bodies_of_anything(first: Any, second: Any) -> None:
    padding = [1.5] * 2000
    for data in ([*padding, first], [padding, first], [first, padding], first):
        request = {
            "inputs": [{"name": "inputs", "shape": [1, 2001], "datatype": "FP32", "data": data}],
            "id": second,
            "x": padding,
        }
        refused_or_answered(json.dumps(request).encode(), None)


@pytest.mark.parametrize("datatype", ["FP32", "INT64", "BOOL", "BYTES", "BF16"])
def test_bytes_of_every_size(datatype: str) -> None:
    for size in range(40):
        data = np.arange(size, dtype=np.uint8).tobytes()
        for rows in range(4):
            tensor = {"name": "inputs", "shape": [rows, 2], "datatype": datatype}
            head = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": size}}]}).encode()
            refused_or_answered(head + data, str(len(head)))


@pytest.mark.parametrize("place", ["#", "#/inputs/0"])
def test_an_object_with_too_many_members_is_refused(place: str) -> None:
    junk = dict.fromkeys(map(str, range(MOST_MEMBERS + 1)), 0)
    tensor = {"name": "inputs", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
    request = {"inputs": [tensor], **junk} if place == "#" else {"inputs": [{**tensor, **junk}]}
    with pytest.raises(Invalid, match=f"at most {MOST_MEMBERS:,}") as refused:
        infer(InferenceCall("m", json.dumps(request).encode(), None, ""), TRAINED, 0)
    assert refused.value.errors[0].pointer == place


def long_tensor(datatype: str, values: list[Any], shape: list[int]) -> Any:
    data = read_json(json.dumps(values).encode())
    return protocol_tensors.from_json("x", datatype, shape, data, "#").values


@pytest.mark.parametrize(("datatype", "value"), [("BOOL", True), ("BYTES", "abc"), ("INT8", -3), ("FP64", 0.5)])
@pytest.mark.parametrize("shape", [[2, 25_000], [1, 2, 25_000], [2, 25_000, 1]])
def test_long_rows_have_values_of_any_datatype(datatype: str, value: Any, shape: list[int]) -> None:
    values = np.full(shape, value, object).tolist()
    assert long_tensor(datatype, values, shape).tolist() == values


@pytest.mark.parametrize(("datatype", "value", "wrong"), [("FP32", 0.5, "a"), ("BOOL", True, 1), ("INT8", 1, 300)])
def test_a_fault_in_a_long_row_has_its_row_and_place(datatype: str, value: Any, wrong: Any) -> None:
    rows = np.full((5, 40_000), value, object).tolist()
    rows[4][30_000] = wrong
    with pytest.raises(Invalid) as refused:
        long_tensor(datatype, rows, [5, 40_000])
    assert refused.value.errors[0].pointer == "#/data/4/30000"
