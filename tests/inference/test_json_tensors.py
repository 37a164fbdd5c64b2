"""Tensors in JSON: their numbers are read as arrays where a body is long, and as lists where it is not."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from service.errors import Invalid
from service.inference import json_tensors, tensors


def asking(data: Any, shape: Sequence[int]) -> dict[str, Any]:
    tensor = {"name": "inputs", "shape": shape, "datatype": "FP32", "data": data}
    return {"id": "7", "inputs": [tensor], "outputs": [{"name": "outputs"}]}


@pytest.mark.parametrize("shape", [[1000, 2], [2000]])
def test_numbers_of_long_bodies_are_read_as_arrays(shape: list[int]) -> None:
    data = np.arange(2000.0).reshape(shape)
    asked = asking(data.tolist(), shape)
    found = json_tensors.read(json.dumps(asked).encode())
    assert isinstance(found["inputs"][0]["data"], np.ndarray)
    found["inputs"][0]["data"] = found["inputs"][0]["data"].tolist()
    assert found == asked


def test_of_members_with_one_name_the_last_counts() -> None:
    asked = asking([1.5] * 2000, [2000])
    assert json_tensors.read(json.dumps(asked).replace('"shape"', '"shape": [], "shape"').encode()) == asked


@pytest.mark.parametrize("rows", [3, 3000, 60_000])  # lists, arrays, and text that is read piece by piece
@pytest.mark.parametrize("values", [1, 2])
def test_lists_in_a_shape_of_numbers_alone_are_refused(rows: int, values: int) -> None:
    for shape in ([], [rows]):
        (read,) = json_tensors.read(json.dumps(asking([[1.5] * values] * rows, shape)).encode())["inputs"]
        with pytest.raises(Invalid) as refused:
            tensors.from_json("inputs", "FP32", shape, read["data"], "#/inputs/0")
        assert refused.value.detail == f"These lists are not nested as the shape {shape} requires."
        assert refused.value.errors[0].pointer == "#/inputs/0/data"
