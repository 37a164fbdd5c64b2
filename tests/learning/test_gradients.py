"""Back-propagation computes the gradient whose slopes central differences measure in float64."""

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.layers import Chain, Dense
from service.learning.layers.activations import Activation
from service.learning.losses import MSE, PROBABILITIES, Loss
from service.learning.network import Network
from service.learning.notation import read, write
from service.learning.optimisers import Descent
from service.learning.rows.part import Part
from service.learning.training.batches.backpropagation import BackPropagation
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from tests.support.learning.networks import LAYERS, all_activations, all_losses, problem

ROWS = 6
STEP = 1e-5
DIRECTIONS = 4
"""Directions in which slopes are measured: a gradient with a wrong component has wrong slopes in all of them."""


def back_propagation(network: Network, vector: Array, gradient: Array, part: Part, loss: Loss) -> BackPropagation:
    recipe = Recipe(loss=loss, optimiser=Descent(), epochs=1)
    return BackPropagation(Problem(network, part, None, recipe), vector, gradient)


def gradient_of(network: Network, vector: Array, part: Part, loss: Loss, block_rows: int = ROWS) -> tuple[float, Array]:
    """Loss and gradient of all rows as one batch, in train mode."""
    gradient = np.zeros(network.parameter_count)
    source = back_propagation(network, vector, gradient, part, loss)
    source.begin_epoch(1)
    if block_rows >= ROWS:
        return source.block(0, ROWS), gradient
    source.block_rows = block_rows
    source._gradient = np.empty_like(gradient)
    starts = range(0, ROWS, block_rows)
    shares = [source.add_block(start, min(start + block_rows, ROWS), ROWS, start == 0) for start in starts]
    return sum(shares), gradient


def error_of(gradient: Array, network: Network, vector: Array, part: Part, loss: Loss) -> float:
    """The largest error of the slopes that a gradient gives, beside those of central differences.

    Random numbers are the same each time, and each parameter has its share of every direction.
    """
    moved = vector.copy()
    source = back_propagation(network, moved, np.empty_like(vector), part, loss)
    trained, generator = slice(0, network.parameter_count), np.random.default_rng(3)
    shape = DIRECTIONS, network.parameter_count
    shares = generator.uniform(0.3, 1, shape) * generator.choice([-1, 1], shape)
    directions = shares / np.sqrt(network.parameter_count)
    slopes = np.empty(DIRECTIONS)
    for index, direction in enumerate(directions):
        ends = []
        for step in (STEP, -STEP):
            moved[trained] = vector[trained] + step * direction
            source.begin_epoch(1)
            ends.append(source.block(0, ROWS))
        slopes[index] = (ends[0] - ends[1]) / (2 * STEP)
    return float(np.abs(directions @ gradient - slopes).max() / np.abs(slopes).max())


def start_of(network: Network) -> Array:
    """Parameters away from zero, so that no bias is without influence."""
    vector = network.initial(1)
    vector += np.random.default_rng(2).uniform(0.05, 0.3, len(vector))
    return vector


# All pairs of one thing with others are one test: a test takes longer than a pair.
@pytest.mark.parametrize("activation", all_activations(), ids=lambda activation: activation.name)
def test_every_activation_in_every_layer(activation: Activation) -> None:
    for layers in LAYERS.values():
        network = Network(read(layers.format(write(activation))), "float64")
        part, vector = problem(ROWS), start_of(network)
        _, gradient = gradient_of(network, vector, part, MSE())
        assert error_of(gradient, network, vector, part, MSE()) < 1e-7, layers


@pytest.mark.parametrize("loss", all_losses(), ids=lambda loss: f"{loss.name}-{loss.agg}")
def test_every_loss_behind_every_layer(loss: Loss) -> None:
    ending = "softmax" if loss.accepts is PROBABILITIES else "identity" if loss.accepts is None else "softplus"
    for layers in LAYERS.values():
        network = Network(read(f"Chain({layers.format('tanh')}, {ending})"), "float64")
        part, vector = problem(ROWS), start_of(network)
        _, gradient = gradient_of(network, vector, part, loss)
        assert error_of(gradient, network, vector, part, loss) < 1e-7, layers


@pytest.mark.parametrize("loss", all_losses(), ids=lambda loss: f"{loss.name}-{loss.agg}")
def test_every_loss_behind_every_activation(loss: Loss) -> None:
    """Losses of probabilities get outputs between 0.2 and 0.8, whatever the activation returns."""
    squash = ", sigmoid, Dense(2 => 2; init=identity_init(gain=0.6))" if loss.accepts is not None else ""
    for activation in all_activations():
        network = Network(read(f"Chain(Dense(3 => 2), {write(activation)}{squash})"), "float64")
        part, vector = problem(ROWS), start_of(network)
        _, gradient = gradient_of(network, vector, part, loss)
        assert error_of(gradient, network, vector, part, loss) < 1e-7, activation


@pytest.mark.parametrize("activation", [a for a in all_activations() if not a.whole_row], ids=lambda a: a.name)
def test_an_activation_inside_dense_is_one_behind_it(activation: Activation) -> None:
    inside = Network(Dense(3, 2, activation), "float64")
    behind = Network(Chain((Dense(3, 2), activation)), "float64")
    part, vector = problem(ROWS), start_of(inside)
    loss, gradient = gradient_of(inside, vector, part, MSE())
    other_loss, other_gradient = gradient_of(behind, vector, part, MSE())
    assert loss == other_loss
    assert np.array_equal(gradient, other_gradient)


@pytest.mark.parametrize(
    "loss", [loss for loss in all_losses() if loss.separable], ids=lambda loss: f"{loss.name}-{loss.agg}"
)
def test_weights_multiply_the_rows_of_a_loss(loss: Loss) -> None:
    """A row of weight 2 counts like two rows; the scale of weights does not matter to a mean."""
    network = Network(read("Chain(Dense(3 => 2), softmax)"), "float64")
    part, vector = problem(ROWS), start_of(network)
    weights = np.array([1.0, 2, 1, 1, 2, 1])
    twice = np.repeat(np.arange(ROWS), weights.astype(int))
    weighted = Part(part.inputs, part.targets, weights * (3 if loss.agg == "mean" else 1))
    repeated = Part(part.inputs[twice], part.targets[twice])
    expected = network.loss(vector, repeated.inputs, repeated.targets, loss)
    value, gradient = gradient_of(network, vector, weighted, loss)
    assert value == pytest.approx(expected, rel=1e-12)
    assert network.loss(vector, weighted.inputs, weighted.targets, loss, weighted.weights) == pytest.approx(expected)
    assert error_of(gradient, network, vector, weighted, loss) < 1e-7


@pytest.mark.parametrize(
    "loss", [loss for loss in all_losses() if loss.separable], ids=lambda loss: f"{loss.name}-{loss.agg}"
)
def test_a_batch_in_blocks_has_the_gradient_of_the_whole(loss: Loss) -> None:
    network = Network(read("Chain(Dense(3 => 4, tanh), Dense(4 => 2), softmax)"), "float64")
    part, vector = problem(ROWS), start_of(network)
    whole_loss, whole = gradient_of(network, vector, part, loss)
    loss_in_blocks, in_blocks = gradient_of(network, vector, part, loss, block_rows=4)
    assert loss_in_blocks == pytest.approx(whole_loss, rel=1e-12)
    assert np.allclose(in_blocks, whole, rtol=1e-12, atol=1e-14)
