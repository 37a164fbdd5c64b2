"""Inference requests: a JSON object, and behind it the bytes of its binary tensors."""

import math
import re
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from service.errors import invalid
from service.http.json_bodies import validated
from service.inference import json_tensors, tensors
from service.inference.schemas import InferenceRequest, RequestInput, RequestOutput
from service.inference.tensors import Tensor

HEADER_LENGTH = "Inference-Header-Content-Length"
"""The header with the number of bytes of a body that are JSON. 0: the whole body is the data of the only input."""
ONLY_INPUT = "inputs"
"""The tensor with one row for each row of the network's inputs."""

_SHAPE = TypeAdapter(InferenceRequest)


@dataclass(frozen=True)
class WantedOutput:
    """A tensor to answer. `classes` is the number of the highest of each row that are wanted in place of all."""

    name: str
    binary: bool
    classes: int = 0


@dataclass(frozen=True)
class Request:
    """An inference request. `outputs` is None where all are wanted; `binary` decides their form."""

    id: str | None
    inputs: list[Tensor]
    outputs: list[WantedOutput] | None
    binary: bool


def read(body: bytes, header_length: str | None, width: int, datatype: str) -> Request:
    """Return the request in `body`.

    `header_length` is the value of its header; `width` and `datatype` are those of a raw body's only tensor.

    Raises:
        Invalid: with the pointer of the fault.
    """
    if header_length is None:
        length = len(body)
    else:
        length = _length(header_length, len(body))
        if length == 0:
            return _raw(body, width, datatype)
    asked = validated(_SHAPE, json_tensors.read(body if length == len(body) else body[:length]))
    binary = asked.parameters is not None and bool(asked.parameters.binary_data_output)
    wanted = asked.outputs or []
    _refuse_twins("outputs", [each.name for each in wanted])
    outputs = [_wanted(each, index, binary) for index, each in enumerate(wanted)]
    return Request(asked.id, _inputs(asked.inputs, memoryview(body)[length:]), outputs or None, binary)


def digits(version: Any) -> Any:
    """Return a version as it stands in a path, if it is one."""
    if isinstance(version, str) and not re.fullmatch("[0-9]{1,10}", version):
        raise ValueError("a version is a number, written in digits")
    return version


def _length(value: str, longest: int) -> int:
    if not re.fullmatch("[0-9]{1,12}", value) or int(value) > longest:
        raise invalid(
            f"header/{HEADER_LENGTH.lower()}",
            f"This header is the number of bytes of the body that are JSON: 0 to {longest}.",
        )
    return int(value)


def _raw(body: bytes, width: int, datatype: str) -> Request:
    size = width * tensors.DTYPES[datatype].itemsize
    rows, rest = divmod(len(body), size)
    if rest or not rows:
        raise invalid("#", f"A row of {width} {datatype} has {size} bytes, but the body has {len(body)}.")
    return Request(None, [tensors.from_bytes(ONLY_INPUT, datatype, (rows, width), memoryview(body), "#")], None, True)


def _inputs(asked: list[RequestInput], data: memoryview) -> list[Tensor]:
    """Return the tensors of a request; those that are binary lie in `data` one behind the other."""
    _refuse_twins("inputs", [each.name for each in asked])
    found, place = [], 0
    for index, each in enumerate(asked):
        pointer = f"#/inputs/{index}"
        size = _binary_size(each, pointer)
        if not math.prod(each.shape):
            raise invalid(f"{pointer}/shape", "There is nothing to compute: a dimension is 0.")
        if size is None:
            found.append(tensors.from_json(each.name, each.datatype, each.shape, each.data, pointer))
            continue
        if place + size > len(data):
            where = f"{pointer}/parameters/binary_data_size"
            raise invalid(where, f"The body has {len(data)} bytes behind its JSON, but {place + size} are announced.")
        binary = data[place : place + size]
        found.append(tensors.from_bytes(each.name, each.datatype, each.shape, binary, pointer))
        place += size
    if place != len(data):
        raise invalid("#", f"The body has {len(data)} bytes behind its JSON, but only {place} are announced.")
    return found


def _refuse_twins(what: str, names: list[str]) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise invalid(f"#/{what}/{index}/name", f"There are two {what} {name[:100]!r}.")
        seen.add(name)


def _binary_size(asked: RequestInput, pointer: str) -> int | None:
    if asked.parameters is None:
        return None
    _refuse_shared_memory(asked.parameters.shared_memory_region, pointer)
    size = asked.parameters.binary_data_size
    if size is not None and asked.data is not None:
        raise invalid(f"{pointer}/data", "Give the elements here or as bytes behind the JSON, not both.")
    return size


def _wanted(asked: RequestOutput, index: int, binary: bool) -> WantedOutput:
    parameters = asked.parameters
    if parameters is None:
        return WantedOutput(asked.name, binary)
    _refuse_shared_memory(parameters.shared_memory_region, f"#/outputs/{index}")
    own = parameters.binary_data
    return WantedOutput(asked.name, binary if own is None else own, parameters.classification or 0)


def _refuse_shared_memory(region: str | None, pointer: str) -> None:
    if region is not None:
        raise invalid(f"{pointer}/parameters/shared_memory_region", "No memory is shared here: send the bytes.")
