"""Networks: widths, parameters and outputs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from service.learning.initialisations import INITS
from service.learning.layers import ArchitectureError, Chain, Dense, Layer
from service.learning.losses import LOSSES, MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.parameters import ParameterError
from service.learning.terms import TermError
from tests.support.learning.networks import LAYERS, network

DEEP = "Chain(Dense(2 => 3, tanh), Chain(BatchNorm(3), Dense(3 => 2; bias=false)), softmax)"


@pytest.mark.parametrize(
    ("notation", "pointer", "message"),
    [
        ("Chain(Dense(4 => 16), Dense(8 => 1))", "/1", "layer 2, Dense(8 => 1), expects 8 inputs but gets 16"),
        ("Chain(relu, Chain(Dense(2 => 3), tanh, Dense(2 => 1)))", "/1/layers/2", "expects 2 inputs but gets 3"),
        ("Chain(Dense(2 => 3), LayerNorm(2))", "/1", "layer 2, LayerNorm(2), expects 2 inputs but gets 3"),
        ("Chain(relu, softmax)", "", "no layer fixes the number of inputs"),
        ("SkipConnection(Dense(2 => 3), +)", "", "+ needs branches of one width, but they have 3, 2 outputs"),
    ],
)
def test_widths_that_do_not_fit_are_refused_with_the_layer(notation: str, pointer: str, message: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        network(notation)
    assert caught.value.pointer == pointer
    assert message in caught.value.message


def test_a_million_million_parameters_are_counted_without_allocation() -> None:
    huge = network("Dense(1000000 => 1000000)")
    assert huge.parameter_count == huge.vector_length == 10**12 + 10**6


def test_layers_nest_at_most_a_hundred_deep() -> None:
    layer: Layer = Dense(1, 1)
    for _ in range(100):
        layer = Chain((layer,))
    with pytest.raises(TermError, match="at most 100 deep"):
        Chain((layer,))


def test_running_statistics_lie_behind_the_parameters_and_are_not_counted() -> None:
    norm = network("Chain(Dense(2 => 3), BatchNorm(3), Dense(3 => 1))")
    assert norm.parameter_count == 9 + 6 + 4
    assert norm.vector_length == 19 + 6
    vector = np.arange(25.0)
    assert norm.unflatten(vector)[1]["mean"].tolist() == [19, 20, 21]
    assert norm.unflatten(vector)[2]["bias"].tolist() == [18]


@pytest.mark.parametrize("notation", [DEEP, "Dense(2 => 3)", *(layers.format("tanh") for layers in LAYERS.values())])
def test_parameters_go_to_layers_and_back(notation: str) -> None:
    net = network(notation)
    vector = net.initial(3)
    layers = net.unflatten(vector)
    assert np.array_equal(net.flatten(layers), vector)
    assert np.array_equal(net.flatten(as_lists(layers)), vector)


def as_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_lists(item) for name, item in value.items()}
    return [as_lists(item) for item in value] if isinstance(value, list) else value.tolist()


def test_unflattened_parameters_are_views_with_weights_outputs_by_inputs() -> None:
    net = network("Dense(2 => 3)")
    vector = net.initial(0)
    (dense,) = net.unflatten(vector)
    assert dense["weight"].shape == (3, 2)
    dense["weight"][2, 1] = 7.5
    assert 7.5 in vector
    x = np.array([[1.0, 2.0]])
    assert np.allclose(net.predict(vector, x), x @ dense["weight"].T + dense["bias"])


@pytest.mark.parametrize(
    ("layers", "pointer", "message"),
    [
        ([], "", "one object per layer, 2, not 0"),
        ({}, "", "list with one object per layer"),
        ([{}, {}], "/0", "lacks weight"),
        ([[], {}], "/0", "must be an object"),
        ([{"weight": [[1, 2]], "bias": [0], "b": 1}, {}], "/0/b", "is not a parameter of Dense(2 => 1)"),
        ([{"weight": [[1, 2]], "bias": [0]}, {"weight": 1}], "/1/weight", "is not a parameter of relu"),
        ([{"weight": [1, 2], "bias": [0]}, {}], "/0/weight", "must have 1 row, not 2"),
        ([{"weight": [[1, 2, 3]], "bias": [0]}, {}], "/0/weight/0", "must have 2 numbers, not 3"),
        ([{"weight": [[1, "2"]], "bias": [0]}, {}], "/0/weight/0/1", "must be a number"),
        ([{"weight": [[1, True]], "bias": [0]}, {}], "/0/weight/0/1", "must be a number"),
        ([{"weight": [[1, None]], "bias": [0]}, {}], "/0/weight/0/1", "must be a number"),
        ([{"weight": [[1, float("nan")]], "bias": [0]}, {}], "/0/weight/0/1", "not a finite"),
        ([{"weight": [[1, 2]], "bias": [1e39]}, {}], "/0/bias/0", "not a finite float32"),
        ([{"weight": [[1, 10**400]], "bias": [0]}, {}], "/0/weight/0/1", "too large"),
        ([{"weight": np.zeros((2, 1)), "bias": [0]}, {}], "/0/weight", "must be 1 × 2, not 2 × 1"),
        ([{"weight": np.array([["1", "2"]]), "bias": [0]}, {}], "/0/weight", "must be numbers"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_with_a_pointer(layers: Any, pointer: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        network("Chain(Dense(2 => 1), relu)", "float32").flatten(layers)
    assert caught.value.pointer == pointer
    assert message in caught.value.message


def test_a_negative_variance_is_refused() -> None:
    net = network("BatchNorm(1)")
    with pytest.raises(ParameterError, match="/0/variance/0"):
        net.flatten([{"scale": [1], "bias": [0], "mean": [0], "variance": [-1]}])


@pytest.mark.parametrize("init", [name for name in INITS if name != "sparse_init"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(init: str, dtype: str) -> None:
    net = network(f"Chain(Dense(20 => 10; init={init}), Dense(10 => 5; init={init}))", dtype)
    vector = net.initial(11)
    assert vector.dtype == dtype
    assert vector.tobytes() == net.initial(11).tobytes()
    if init not in ("zeros32", "ones32", "identity_init"):
        assert vector.tobytes() != net.initial(12).tobytes()


def test_both_precisions_begin_alike() -> None:
    double, single = (network("Dense(30 => 20)", dtype).initial(5) for dtype in ("float64", "float32"))
    assert np.array_equal(double.astype(np.float32), single)


def test_predictions_do_not_depend_on_the_block() -> None:
    net = network("Chain(Dense(3 => 8, tanh), Dense(8 => 2), softmax)")
    vector, x = net.initial(0), np.random.default_rng(0).standard_normal((100, 3))
    whole = net.predict(vector, x)
    assert whole.shape == (100, 2)
    for block in (1, 7, 100, 1000):
        assert np.allclose(net.predict(vector, x, block=block), whole, rtol=1e-14)


def test_many_threads_predict_with_one_network() -> None:
    net = network("Chain(Dense(3 => 64, tanh), Dense(64 => 2))")
    inputs = [np.random.default_rng(seed).standard_normal((seed + 1, 3)) for seed in range(40)]
    vector = net.initial(0)
    alone = [net.predict(vector, x) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda x: net.predict(vector, x), inputs * 5))
    assert all(np.array_equal(a, b) for a, b in zip(alone * 5, together, strict=True))


def test_inputs_that_overflow_give_infinite_outputs_without_a_warning() -> None:
    net = network("Dense(2 => 1)", "float32")
    outputs = net.predict(np.full(3, 3e38, np.float32), np.full((1, 2), 3e38, np.float32))
    assert np.isinf(outputs).all()


def test_a_loss_is_the_mean_over_all_elements_however_many_blocks_it_takes() -> None:
    net = network("Dense(2 => 3)", "float32")
    generator = np.random.default_rng(0)
    x = generator.standard_normal((50_000, 2)).astype(np.float32)
    y = generator.standard_normal((50_000, 3)).astype(np.float32)
    vector = net.initial(0)
    difference = net.predict(vector, x).astype(np.float64) - y
    assert net.loss(vector, x, y, MSE()) == pytest.approx(np.mean(difference**2), rel=1e-7)
    assert net.loss(vector, x, y, LOSSES["mse"](agg="sum")) == pytest.approx(np.sum(difference**2), rel=1e-7)  # type: ignore[call-arg]  # terms are dataclasses


def test_dropout_and_batch_norm_do_nothing_random_in_test_mode() -> None:
    net = Network(read("Chain(Dense(2 => 4), BatchNorm(4), Dropout(0.5), Dense(4 => 1))"), "float64")
    plain = Network(read("Chain(Dense(2 => 4), Dense(4 => 1))"), "float64")
    layers = net.unflatten(net.initial(0))
    x = np.random.default_rng(0).standard_normal((5, 2))
    expected = plain.predict(plain.flatten([layers[0], layers[3]]), x)
    assert np.allclose(net.predict(net.initial(0), x), expected, rtol=1e-4)  # ϵ beside a variance of 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "notation",
    [
        "Dense(1000 => 1)",
        "Chain(Dense(4 => 8, tanh), Dense(8 => 3), softmax)",
        "Chain(Dense(100 => 256, relu), Dense(256 => 256, relu), Dense(256 => 10))",
    ],
)
def test_rows_alone_and_among_others_agree_to_a_few_last_digits(notation: str, dtype: str) -> None:
    net = network(notation, dtype)
    vector = net.initial(0)
    inputs = np.random.default_rng(1).standard_normal((2000, net.inputs)).astype(dtype)
    among_others = net.predict(vector, inputs)
    unit = np.finfo(dtype).eps * np.abs(among_others).max()
    for count in (1, 2, 3, 7, 33, 1000):
        alone = net.predict(vector, inputs[500 : 500 + count])
        assert np.abs(alone - among_others[500 : 500 + count]).max() <= 12 * unit
