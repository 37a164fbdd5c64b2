"""Flux's notation, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.learning.initialisations import INITS, Init
from service.learning.layers import BatchNorm, Chain, Dense, Dropout, Layer, LayerNorm, Parallel, SkipConnection
from service.learning.layers.activations import ACTIVATIONS, Activation, LeakyReLU
from service.learning.network import Network
from service.learning.notation import read, write
from service.learning.terms import UnreadableText

numbers = st.floats(-100, 100).map(lambda x: round(x, 6))
positive = st.floats(1e-6, 100)
widths = st.integers(1, 1_000_000)


def activations() -> st.SearchStrategy[Activation]:
    plain = st.sampled_from([ACTIVATIONS[name]() for name in ACTIVATIONS if name != "expression"])
    written = st.sampled_from(["x * sigmoid(x)", "max(x, 0.1x)", "tanh(x) + x^3"])
    return st.one_of(
        plain,
        numbers.map(LeakyReLU),
        positive.map(lambda alpha: ACTIVATIONS["celu"](alpha=alpha)),  # type: ignore[call-arg]  # terms are dataclasses
        written.map(lambda text: ACTIVATIONS["expression"](expression=text)),  # type: ignore[call-arg]  # terms are dataclasses
    )


def inits() -> st.SearchStrategy[Init]:
    plain = st.sampled_from([INITS[name]() for name in INITS if name != "sparse_init"])
    return st.one_of(
        plain,
        positive.map(lambda gain: INITS["kaiming_normal"](gain=gain)),  # type: ignore[call-arg]  # terms are dataclasses
        st.floats(0, 1).map(lambda sparsity: INITS["sparse_init"](sparsity=sparsity)),  # type: ignore[call-arg]  # terms are dataclasses
    )


@st.composite
def denses(draw: st.DrawFn) -> Dense:
    out = draw(st.integers(1, 5))
    bias = draw(st.one_of(st.booleans(), st.tuples(*[numbers] * out)))
    activation = draw(activations().filter(lambda activation: not activation.whole_row))
    return Dense(draw(widths), out, activation, bias=bias, init=draw(inits()))


def leaves() -> st.SearchStrategy[Layer]:
    affine = st.booleans()
    return st.one_of(
        activations(),
        denses(),
        st.floats(0, 0.99).map(Dropout),
        st.builds(LayerNorm, widths, affine=affine, eps=positive),
        st.builds(BatchNorm, widths, affine=affine, momentum=st.floats(0, 1)),
    )


connections = st.sampled_from(["+", "vcat"])
layers = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda items: Chain(tuple(items))),
        st.builds(SkipConnection, inner, connections),
        st.builds(Parallel, connections, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@given(layers)
def test_what_was_written_reads_as_the_same_layer(layer: Layer) -> None:
    assert read(write(layer)) == layer


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_a_position(text: str) -> None:
    try:
        read(text)
    except UnreadableText as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - both ways are good


@given(layers, st.data())
def test_a_damaged_notation_is_read_or_refused_with_a_position(layer: Layer, data: st.DataObject) -> None:
    text = write(layer)
    at = data.draw(st.integers(0, len(text)))
    text = (
        text[:at] + data.draw(st.sampled_from(["", ",", "(", ")", ";", "=>", "->", "x", "1e9", "é"])) + text[at + 1 :]
    )
    try:
        read(text)
    except UnreadableText as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - both ways are good


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Dense(1=>1)", "Dense(1 => 1)"),
        (" Dense( 1 => 1 , identity ) ", "Dense(1 => 1)"),
        ("Dense(4 => 2, σ)", "Dense(4 => 2, sigmoid)"),
        ("Dense(4 => 2; bias = false)", "Dense(4 => 2; bias=false)"),
        ("Dense(4 => 2, bias=false)", "Dense(4 => 2; bias=false)"),
        ("Dense(4 => 2, tanh; init=glorot_uniform, bias=true)", "Dense(4 => 2, tanh)"),
        ("Dense(1_000 => 2; init=kaiming_uniform(gain=2))", "Dense(1000 => 2; init=kaiming_uniform(gain=2))"),
        ("Dense(2 => 2; init=kaiming_uniform(; gain=1f-1))", "Dense(2 => 2; init=kaiming_uniform(gain=0.1))"),
        ("Dense(2 => 2, x -> leakyrelu(x, 0.2))", "Dense(2 => 2, x -> leakyrelu(x, 0.2))"),
        ("Dense(2 => 2, z->leakyrelu( z ,0.01 ))", "Dense(2 => 2, leakyrelu)"),
        ("Dense(2 => 2, x -> x * sigmoid(x))", "Dense(2 => 2, x -> x * sigmoid(x))"),
        ("Chain(x -> elu(x, 0.5), softmax)", "Chain(x -> elu(x, 0.5), softmax)"),
        ("Chain(Dense(2 => 3),\n  Chain(relu))", "Chain(Dense(2 => 3), Chain(relu))"),
        ("Dense(1 => 2; bias=[1, -2.5])", "Dense(1 => 2; bias=[1, -2.5])"),
        ("BatchNorm(4, gelu; momentum=0.2)", "BatchNorm(4, gelu_tanh; momentum=0.2)"),
        ("SkipConnection(Dense(4 => 4), +)", "SkipConnection(Dense(4 => 4), +)"),
        ("Parallel(vcat, Dense(2 => 1), tanh)", "Parallel(vcat, Dense(2 => 1), tanh)"),
    ],
)
def test_spellings_of_one_layer_have_one_canonical_form(text: str, canonical: str) -> None:
    assert write(read(text)) == canonical


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("", 0, "a layer"),
        ("Dens(1 => 1)", 0, "no layer and no activation 'Dens'"),
        ("Dense(1 => )", 0, "lacks out"),
        ("Dense(1 => 0)", 0, "out must be at least 1"),
        ("Dense(1.5 => 1)", 0, "in must be a whole number"),
        ("Dense(1 => 1", 12, "the end"),
        ("Dense(1 => 1))", 13, "expected the end"),
        ("Dense(1 => 1, softmax)", 0, "make softmax a layer of its own"),
        ("Dense(1 => 1, rely)", 14, "no activation 'rely'"),
        ("Dense(1 => 1; bios=true)", 14, "no keyword of Dense"),
        ("Dense(1 => 1; bias=true, bias=true)", 25, "given twice"),
        ("Dense(1 => 1; bias=maybe)", 19, "true or false"),
        ("Dense(1 => 1; init=glorot)", 19, "no initialisation 'glorot'"),
        ("Dense(1 => 2; bias=[1])", 0, "must have 2 numbers"),
        ("Chain()", 0, "lacks layers"),
        ("Chain(relu(x))", 6, "without parentheses"),
        ("Chain(relu, , tanh)", 12, "a layer"),
        ("Dropout(1)", 0, "less than 1"),
        ("SkipConnection(relu, *)", 21, "+ or vcat"),
        ("x -> leakyrelu(x, 1, 2)", 5, "1 number"),
        ("Chain(relu) Chain(relu)", 12, "expected the end"),
        ("Dense(1 => 1, x -> foo(x, 2))", 19, "unknown function 'foo'"),
        ("Dense(1 => 1, x -> tanh(x) + z)", 29, "unknown name 'z'"),
        ("Dense(1 => 1, x -> )", 19, "the expression is empty"),
        ("Chain(x -> expression(x))", 11, "unknown function 'expression'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, position: int, part: str) -> None:
    with pytest.raises(UnreadableText) as caught:
        read(text)
    assert part in caught.value.message
    assert caught.value.position == position


def test_a_hundred_levels_are_read_and_more_are_refused() -> None:
    deepest = "Chain(" * 100 + "Dense(1 => 1)" + ")" * 100
    assert write(read(deepest)) == deepest
    assert Network(read(deepest)).parameter_count == 2
    for levels in (101, 5_000, 100_000):
        with pytest.raises(UnreadableText, match="at most 100 deep"):
            read("Chain(" * levels + "Dense(1 => 1)" + ")" * levels)
