"""Integrated gradients of networks of every kind of layer."""

import tracemalloc

import numpy as np
import pytest

from service.learning import notation
from service.learning.confidence import contributions
from service.learning.confidence.contributions import CLOSE, integrated
from service.learning.network import Network

RNG = np.random.default_rng(2)
ROWS, BASELINE = RNG.normal(size=(9, 4)), RNG.normal(size=4)
NETWORKS = [
    "Dense(4 => 2)",
    "Chain(Dense(4 => 8, relu), Dense(8 => 8, leakyrelu), Dense(8 => 3))",
    "Chain(Dense(4 => 40, tanh), LayerNorm(40), Dense(40 => 3), softmax)",
    "Chain(BatchNorm(4), Dense(4 => 6, x -> x^2 + sin(x)), Dropout(0.5), Dense(6 => 1, sigmoid))",
    "Chain(SkipConnection(Dense(4 => 4, gelu), vcat), Parallel(+, Dense(8 => 2), Dense(8 => 2, softplus)))",
]


@pytest.mark.parametrize("text", NETWORKS)
def test_contributions_add_up_to_the_output_less_the_baselines(text: str) -> None:
    network = Network(notation.read(text), "float64")
    vector = network.initial(3)
    found = integrated(network, vector, ROWS, BASELINE, [1, 2, 1])
    assert found.values.shape == (9, network.outputs, 3)
    wanted = network.predict(vector, ROWS) - network.predict(vector, BASELINE.reshape(1, -1))
    assert (np.abs(found.values.sum(axis=2) - wanted) <= CLOSE * np.abs(wanted) + 1e-10).all()


def test_places_looked_at_in_turn_make_the_same_contributions(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(notation.read("Chain(Dense(4 => 4), Dense(4 => 1, x -> tanh(30 * x)))"), "float64")
    together = integrated(network, network.initial(1), ROWS, BASELINE, [1, 2, 1]).values
    monkeypatch.setattr(contributions, "BUFFER_BYTES", 1)
    in_turn = integrated(network, network.initial(1), ROWS, BASELINE, [1, 2, 1]).values
    np.testing.assert_allclose(in_turn, together, rtol=1e-12, atol=1e-13)


def test_memory_is_a_few_buffers_however_many_inputs_there_are() -> None:
    network = Network(notation.read("Chain(Dense(10000 => 4, tanh), Dense(4 => 1))"), "float64")
    vector, rows = network.initial(0), np.eye(8, 10_000)
    tracemalloc.start()
    try:
        integrated(network, vector, rows, np.full(10_000, 1e-4), [10_000])
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken - vector.nbytes < 6 * contributions.BUFFER_BYTES


def test_those_of_a_line_are_its_slopes_times_the_way() -> None:
    network = Network(notation.read("Dense(4 => 2)"), "float64")
    vector = network.initial(0)
    weight = network.unflatten(vector)[0]["weight"]
    found = integrated(network, vector, ROWS, BASELINE, [1, 1, 1, 1])
    np.testing.assert_allclose(found.values, (ROWS - BASELINE)[:, None, :] * weight, atol=1e-12)


def test_a_jump_that_no_step_sees_is_spread_over_the_columns() -> None:
    network = Network(notation.read("Chain(Dense(4 => 4), Dense(4 => 1, x -> tanh(100000 * x)))"), "float64")
    vector = network.initial(1)
    found = integrated(network, vector, ROWS, BASELINE, [1, 1, 1, 1])
    wanted = network.predict(vector, ROWS) - network.predict(vector, BASELINE.reshape(1, -1))
    np.testing.assert_allclose(found.values.sum(axis=2), wanted, rtol=2 * CLOSE, atol=1e-9)
