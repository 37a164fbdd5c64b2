"""ONNX: onnxruntime computes the network's outputs, for every layer, activation and function of a formula."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it has no types
import pytest

from service.errors import Invalid
from service.learning.arrays import Array
from service.learning.expressions import FUNCTIONS, ROW_FUNCTIONS, compile_activation
from service.learning.layers import LAYERS as KINDS
from service.learning.layers import Chain, Dense
from service.learning.layers.activations import Activation
from service.learning.network import Network
from service.learning.notation import write_activation
from service.models.files.onnx import model as onnx_model
from tests.support.learning.networks import LAYERS, all_activations, network
from tests.support.models.networks import FORMULAS, random_parameters

DTYPES = ("float32", "float64")
INEXACT = {"gelu_erf", "atan(x)"}
"""Functions that onnxruntime has in float32 alone."""


def computed(network: Network, vector: Array, inputs: Array) -> Array:
    """The outputs that onnxruntime computes by the network's file."""
    file = onnx_model.write(network, vector, {})
    onnx.checker.check_model(onnx.load_model_from_string(file), full_check=True)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    outputs: Array = session.run(["outputs"], {"inputs": inputs})[0]
    assert outputs.dtype == network.dtype
    return outputs


def check(network: Network, inputs: Array, exact: bool = True) -> None:
    vector = random_parameters(network)
    expected = network.predict(vector, inputs)
    assert np.isfinite(expected).all()
    tolerance = 1e-12 if network.dtype == "float64" and exact else 1e-5
    np.testing.assert_allclose(computed(network, vector, inputs), expected, rtol=tolerance, atol=tolerance)


def spread(dtype: str, scale: float = 1.0) -> Array:
    """Rows of three numbers about 0, some of them 0 and close to it."""
    rows = np.random.default_rng(0).standard_normal((40, 3)) * scale
    return np.concatenate([rows, np.zeros((1, 3)), np.full((1, 3), 1e-6), np.full((1, 3), -1e-6)]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", all_activations(), ids=lambda activation: activation.name)
def test_every_activation_computes_the_same(activation: Activation, dtype: str) -> None:
    written = write_activation(activation)
    exact = activation.name not in INEXACT
    alone = network(f"Chain({written}, Dense(3 => 3))", dtype)
    check(alone, spread(dtype), exact)
    check(alone, spread(dtype, 300), exact)
    if not activation.whole_row:
        check(network(f"Dense(3 => 4, {written})", dtype), spread(dtype), exact)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "written", ["leakyrelu(x, 2)", "trelu(x, -0.3)", "elu(x, 0.7)", "celu(x, 0.3)", "softshrink(x, 0)"]
)
def test_an_activation_takes_its_own_numbers(written: str, dtype: str) -> None:
    check(network(f"Dense(3 => 4, x -> {written})", dtype), spread(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("written", "x"),
    [
        ("elu", -1e-6),
        ("selu", -1e-6),
        ("celu", -1e-6),
        ("softplus", -30),
        ("logsigmoid", 30),
        ("logcosh", 1e-4),
        ("tanhshrink", 1e-4),
        ("x -> log1p(x)", 1e-6),
        ("x -> sinh(x)", 1e-6),
    ],
)
def test_small_values_keep_their_digits(written: str, x: float, dtype: str) -> None:
    net = network(f"Dense(1 => 1, {written}; bias=false)", dtype)
    vector, inputs = np.ones(1, dtype), np.full((1, 1), x, dtype)
    np.testing.assert_allclose(computed(net, vector, inputs), net.predict(vector, inputs), rtol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_layer_computes_the_same(layers: str, dtype: str) -> None:
    check(network(layers.format("tanh"), dtype), spread(dtype))


def test_there_is_no_layer_that_was_not_tried() -> None:
    assert all(any(kind in layers for layers in LAYERS.values()) for kind in KINDS)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("norm", ["LayerNorm(3)", "BatchNorm(3, relu)", "BatchNorm(3; affine=false, eps=0.01)"])
def test_normalising_keeps_its_digits_far_from_0(norm: str, dtype: str) -> None:
    net = network(f"Chain({norm}, Dense(3 => 2))", dtype)
    vector = random_parameters(net)
    for values in net.unflatten(vector)[0].items():
        if values[0] == "mean":
            values[1][...] += 1000
    inputs = spread(dtype) + np.array(1000, dtype)
    np.testing.assert_allclose(computed(net, vector, inputs), net.predict(vector, inputs), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("formula", FORMULAS)
def test_every_function_of_a_formula_computes_the_same(formula: str, dtype: str) -> None:
    check(network(f"Chain(x -> {formula}, Dense(3 => 2))", dtype), spread(dtype), formula not in INEXACT)


def test_there_is_no_function_that_was_not_tried() -> None:
    used = {step.function for formula in FORMULAS for step in compile_activation(formula).steps}
    assert used == {*FUNCTIONS, *ROW_FUNCTIONS, "sum_rows", "mean_rows"}


def test_any_number_of_rows_goes_through() -> None:
    net = network("Chain(Dense(3 => 4, relu), Dense(4 => 2))", "float32")
    for rows in (1, 2, 1000):
        check(net, np.random.default_rng(rows).standard_normal((rows, 3)).astype("float32"))


def test_a_file_says_what_it_is_and_is_the_same_bytes_each_time() -> None:
    net = network("Chain(Dense(3 => 4, relu), Chain(Dense(4 => 2; bias=false)))", "float32")
    vector, about = random_parameters(net), {"model": "a", "version": "3", "architecture": "…"}
    file = onnx_model.write(net, vector, about)
    model = onnx.load_model_from_string(file)

    assert {entry.key: entry.value for entry in model.metadata_props} == about
    assert [value.name for value in model.graph.input] == ["inputs"]
    assert [value.name for value in model.graph.output] == ["outputs"]
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    assert {name: array.shape for name, array in constants.items()} == {
        "layers.0.weight": (4, 3),
        "layers.0.bias": (4,),
        "layers.1.layers.0.weight": (2, 4),
    }
    np.testing.assert_array_equal(constants["layers.0.weight"], net.unflatten(vector)[0]["weight"])
    assert onnx_model.write(net, vector, about) == file


@dataclass(frozen=True, slots=True)
class Stranger(Activation):
    """a word of another package"""

    name = "stranger"


@pytest.mark.parametrize("layer", [Dense(2, 2, Stranger()), Chain((Dense(2, 2), Stranger()))])
def test_what_has_no_form_in_onnx_is_refused_by_name(layer: Any) -> None:
    net = Network(layer)
    with pytest.raises(Invalid, match="stranger has no form in ONNX"):
        onnx_model.write(net, net.initial(0), {})
