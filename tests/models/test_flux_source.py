"""Julia source: the architecture in Flux's words, and every number as it was."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from service.errors import Invalid
from service.learning.arrays import Array
from service.learning.expressions import Run, compile_activation
from service.learning.layers import Dense
from service.learning.layers.activations import Activation
from service.learning.network import Network
from service.models.files import flux, julia
from tests.support.learning.networks import LAYERS, network
from tests.support.models.networks import FORMULAS, random_parameters

ASSIGNMENT = re.compile(r"^(model\S*) \.= (.+?)$(?=\n\n)", re.MULTILINE | re.DOTALL)
RESHAPE = re.compile(r"^reshape\((.+), (\d+), (\d+)\)$", re.DOTALL)
LITERAL = re.compile(r"-?\d+(\.\d+)?(f-?\d+|e-?\d+)?")


def source(network: Network, vector: Array) -> str:
    return "".join(flux.write(network, vector, ["a model"]))


def read_arrays(text: str, dtype: str) -> dict[str, Array]:
    """The array assigned to each place, as Julia would read it: a reshape fills columns first, spaces part columns."""
    return {place: read_array(value, dtype) for place, value in ASSIGNMENT.findall(text)}


def read_array(text: str, dtype: str) -> Array:
    reshaped = RESHAPE.match(text)
    if reshaped:
        return read_array(reshaped[1], dtype).reshape((int(reshaped[2]), int(reshaped[3])), order="F")
    if text.startswith("numbers("):
        digits = text.removeprefix('numbers("""\n').removesuffix('""")').split()
        return np.array(digits).astype(dtype)
    assert text[0] + text[-1] == "[]"
    inside = text[1:-1]
    if "," in inside or "\n" not in inside:
        return np.array([read_literal(each, dtype) for each in inside.split(", ")], dtype)
    rows = [[read_literal(each, dtype) for each in row.split()] for row in inside.strip().splitlines()]
    return np.array(rows, dtype)


def read_literal(text: str, dtype: str) -> np.floating:
    """Read a literal: in Julia 1.5f-3 is a Float32, and 1.5e-3 a Float64."""
    assert LITERAL.fullmatch(text), text
    assert ("f" in text) == (dtype == "float32"), text
    number: np.floating = np.dtype(dtype).type(text.replace("f", "e"))
    return number


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_parameter_comes_back_bit_by_bit(layers: str, dtype: str) -> None:
    net = network(layers.format("tanh"), dtype)
    vector = random_parameters(net)
    found = list(read_arrays(source(net, vector), dtype).values())
    expected = [array for layer in net.unflatten(vector) for array in arrays_in(layer)]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, strict=True)


def arrays_in(layer: dict[str, object]) -> list[Array]:
    inside = layer.get("layers")
    if isinstance(inside, list):
        return [array for each in inside for array in arrays_in(each)]
    return [array for array in layer.values() if isinstance(array, np.ndarray)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_arrays_are_texts_and_come_back_too(dtype: str) -> None:
    net = network("Chain(Dense(40 => 300, relu), Dense(300 => 1))", dtype)
    vector = random_parameters(net)
    text = source(net, vector)
    found = read_arrays(text, dtype)
    first, second = net.unflatten(vector)

    assert f"numbers(text) = parse.({dtype.title()}, split(text))" in text
    np.testing.assert_array_equal(found["model.layers[1].weight"], first["weight"], strict=True)
    np.testing.assert_array_equal(found["model.layers[1].bias"], first["bias"], strict=True)
    np.testing.assert_array_equal(found["model.layers[2].weight"], second["weight"], strict=True)
    assert max(map(len, text.splitlines())) < 2000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_hardest_numbers_round_trip(dtype: str) -> None:
    info = np.finfo(dtype)
    hard = [info.max, -info.max, info.tiny, info.smallest_subnormal, info.eps, 0.0, -0.0, 1 / 3, 1e10, 16777217, 1e-7]
    for number in np.array(hard, dtype):
        written = julia.literal(float(number), dtype)
        read = read_literal(written, dtype)
        assert (read, np.signbit(read)) == (number, np.signbit(number)), written


def test_the_source_is_what_a_person_would_write() -> None:
    net = network("Chain(Dense(2 => 2, relu), Dense(2 => 1; bias=false))", "float32")
    vector = net.flatten([{"weight": [[1, -2], [0.5, 1e-8]], "bias": [0, 0.1]}, {"weight": [[3, 4]]}])
    assert source(net, vector) == (
        "# a model\n\nusing Flux\n\n"
        "model = Chain(\n    Dense(2 => 2, relu),\n    Dense(2 => 1; bias=false),\n)\n\n"
        "model.layers[1].weight .= [\n    1.0f0 -2.0f0\n    0.5f0 1f-8\n]\n\n"
        "model.layers[1].bias .= [0.0f0, 0.1f0]\n\n"
        "model.layers[2].weight .= [\n    3.0f0 4.0f0\n]\n\n"
        "model\n"
    )


@pytest.mark.parametrize(
    ("notation", "dtype", "written"),
    [
        ("Dense(1 => 1)", "float32", "Dense(1 => 1)"),
        ("Dense(1 => 1)", "float64", "f64(Dense(1 => 1))"),
        ("Dense(1 => 2, tanh; init=kaiming_uniform)", "float32", "Dense(1 => 2, tanh)"),
        ("Dense(1 => 2; bias=[1, 2])", "float32", "Dense(1 => 2)"),
        ("Dense(1 => 2, x -> elu(x, 0.5))", "float32", "Dense(1 => 2, x -> elu(x, 0.5f0))"),
        ("Dense(1 => 2, gelu)", "float32", "Dense(1 => 2, gelu_tanh)"),
        ("Dense(1 => 2, gelu_sigmoid)", "float32", "Dense(1 => 2, x -> x * sigmoid(1.702f0 * x))"),
        ("Dense(1 => 2, x -> 2x^2)", "float64", "f64(Dense(1 => 2, x -> 2.0 * (x ^ 2.0)))"),
        ("LayerNorm(3, relu)", "float32", "LayerNorm(3, relu; eps=0.00001f0)"),
        ("BatchNorm(3; affine=false)", "float32", "BatchNorm(3; eps=0.00001f0, momentum=0.1f0, affine=false)"),
    ],
)
def test_a_layer_is_written_as_flux_has_it(notation: str, dtype: str, written: str) -> None:
    net = network(notation, dtype)
    assert f"\nmodel = {written}\n" in source(net, net.initial(0))


@pytest.mark.parametrize(
    ("notation", "written"),
    [
        ("tanh", "x -> tanh.(x)"),
        ("identity", "identity"),
        ("softmax", "softmax"),
        ("x -> leakyrelu(x, 0.2)", "x -> leakyrelu.(x, 0.2f0)"),
        ("gelu_sigmoid", "x -> x .* sigmoid.(1.702f0 .* x)"),
        ("x -> softmax(2x) + 1", "x -> softmax(2.0f0 .* x) .+ 1.0f0"),
        ("x -> x / sum(x; dims=1)", "x -> x ./ sum(x; dims=1)"),
        ("x -> -mean(-x; dims=1) * x", "x -> (.-Flux.mean(.-x; dims=1)) .* x"),
        ("x -> ifelse(!(x > 0), pi, x)", "x -> ifelse.(.!(x .> 0.0f0), 3.1415927f0, x)"),
        ("Dropout(0.5)", "Dropout(0.5f0)"),
        ("SkipConnection(Dense(2 => 2), +)", "SkipConnection(\n        Dense(2 => 2),\n        +,\n    )"),
        (
            "Parallel(vcat, Dense(2 => 1), Dense(2 => 1))",
            "Parallel(\n        vcat,\n        Dense(2 => 1),\n        Dense(2 => 1),\n    )",
        ),
    ],
)
def test_a_layer_among_others_works_on_arrays(notation: str, written: str) -> None:
    net = network(f"Chain({notation}, Dense(2 => 1))", "float32")
    assert f"Chain(\n    {written},\n" in source(net, net.initial(0))


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_in_julia_means_the_same(formula: str, dotted: bool) -> None:
    """Its words are Julia's, so the reader of formulas reads the Julia, too."""
    written = julia.formula(formula, "float64", dotted=dotted).replace("Flux.mean", "mean")
    x = np.random.default_rng(0).standard_normal((20, 3))
    values = []
    for text in (formula, written):
        run = Run(compile_activation(text), (x,), result=np.empty_like(x))
        run.forward()
        values.append(run.result)
    np.testing.assert_array_equal(values[0], values[1])


@pytest.mark.parametrize("formula", ["2x - x / 3", "tanh(x) * 1e-3"])
def test_numbers_in_a_formula_have_the_dtype(formula: str) -> None:
    """A Float64 among Float32 would make everything behind it one."""
    for number in re.findall(r"\d[\d.ef-]*", julia.formula(formula, "float32", dotted=False)):
        read_literal(number, "float32")


def test_a_heading_cannot_leave_its_comment() -> None:
    net = network("Dense(1 => 1)", "float32")
    text = "".join(flux.write(net, net.initial(0), ["a\nexit()\r\x85b"]))
    assert text.startswith("# a exit() b\n\nusing Flux")


@dataclass(frozen=True, slots=True)
class Stranger(Activation):
    """a word of another package"""

    name = "stranger"


def test_what_flux_does_not_know_is_refused_by_name() -> None:
    net = Network(Dense(2, 2, Stranger()))
    with pytest.raises(Invalid, match="stranger is not known to Flux"):
        flux.write(net, net.initial(0), [])
