"""The normalising layers have PyTorch's values, gradients and running statistics."""

from typing import Any

import numpy as np
import pytest

from service.learning.layers import Signal, Tape
from service.learning.network import Network
from service.learning.notation import read
from tests.support.learning.answers import agree, answers, cases

SLOTS = {"LayerNorm": ("scale", "bias"), "BatchNorm": ("scale", "bias", "mean", "variance")}


@pytest.mark.parametrize(("file", "case", "dtype"), cases("torch_layers"))
def test_a_normalising_layer_agrees(file: str, case: Any, dtype: str) -> None:
    inputs, name = answers(file)["inputs"], case["term"]["name"]
    network = Network(read(f"{name}(4)"), dtype)
    vector = network.flatten([{slot: inputs[slot] for slot in SLOTS[name]}])
    gradient = np.zeros(network.parameter_count, dtype) if case["mode"] == "train" else None
    x = np.array(inputs["x"], dtype)
    tape = Tape(len(x), vector, gradient)
    dx = np.empty_like(x)
    y = network.root.record(Signal(x, dx), tape)
    tape.run()
    assert agree(y.value, case[dtype]["value"], dtype)
    if gradient is not None:
        assert y.gradient is not None
        y.gradient[:] = np.array(inputs["cotangent"], dtype)
        tape.pull_back()
        tape.commit()
        assert agree(dx, case[dtype]["gradient"], dtype)
        assert agree(gradient, [*case[dtype]["scale"], *case[dtype]["bias"]], dtype)
    for statistic in SLOTS[name][2:]:
        assert agree(network.unflatten(vector)[0][statistic], case[dtype][statistic], dtype)
