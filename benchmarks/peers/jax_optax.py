"""JAX with optax: a whole run, or a whole epoch, is one compiled function."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}
RULES = {"Descent": optax.sgd, "Adam": optax.adam}
Layers = list[tuple[jax.Array, jax.Array]]


def cold_run(
    weight: NDArray[Any], bias: NDArray[Any], inputs: NDArray[Any], targets: NDArray[Any], rate: float, epochs: int
) -> Callable[[], list[float]]:
    """Full-batch gradient descent on mse, compiled anew each time; returns every epoch's loss."""
    x, y = jnp.asarray(inputs), jnp.asarray(targets)

    def loss_of(parameters: tuple[jax.Array, jax.Array]) -> jax.Array:
        return jnp.mean((x @ parameters[0].T + parameters[1] - y) ** 2)

    def step(parameters: Any, _: None) -> tuple[Any, jax.Array]:
        loss, gradient = jax.value_and_grad(loss_of)(parameters)
        return jax.tree.map(lambda p, g: p - rate * g, parameters, gradient), loss

    def losses() -> list[float]:
        jax.clear_caches()
        run = jax.jit(lambda parameters: jax.lax.scan(step, parameters, length=epochs + 1)[1])
        return run((jnp.asarray(weight), jnp.asarray(bias))).tolist()  # type: ignore[no-any-return]  # lists of floats

    return losses


def network(sizes: Sequence[int]) -> Layers:
    keys = jax.random.split(jax.random.key(0), len(sizes))
    init = jax.nn.initializers.glorot_uniform()
    pairs = zip(keys, sizes, sizes[1:], strict=False)
    return [(init(key, (inputs, outputs)), jnp.zeros(outputs)) for key, inputs, outputs in pairs]


def epoch(
    sizes: Sequence[int],
    activation: str,
    rule: str,
    rate: float,
    batch_size: int,
    inputs: NDArray[Any],
    targets: NDArray[Any],
) -> Callable[[], float]:
    """One more pass of shuffled mini-batches, a scan inside one jitted function whose buffers are donated."""
    x, y = jnp.asarray(inputs), jnp.asarray(targets)
    σ, optimiser = ACTIVATIONS[activation], RULES[rule](rate)
    per_row = optax.softmax_cross_entropy_with_integer_labels
    squares = targets.dtype == np.float32

    def loss_of(layers: Layers, x: jax.Array, y: jax.Array) -> jax.Array:
        for weight, bias in layers[:-1]:
            x = σ(x @ weight + bias)
        weight, bias = layers[-1]
        out = x @ weight + bias
        return jnp.mean((out - y) ** 2 if squares else per_row(out, y))

    def step(state: Any, batch: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
        layers, memory = state
        loss, gradient = jax.value_and_grad(loss_of)(layers, *batch)
        updates, memory = optimiser.update(gradient, memory, layers)
        return (optax.apply_updates(layers, updates), memory), loss

    @partial(jax.jit, donate_argnums=0)
    def pass_over(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        order = jax.random.permutation(key, len(x)).reshape(-1, batch_size)
        state, losses = jax.lax.scan(lambda s, rows: step(s, (x[rows], y[rows])), state, order)
        return state, jnp.mean(losses)

    layers = network(sizes)
    held: list[Any] = [(layers, optimiser.init(layers)), jax.random.key(1)]

    def mean_loss() -> float:
        held[1], key = jax.random.split(held[1])
        held[0], loss = pass_over(held[0], key)
        return float(loss)

    return mean_loss
