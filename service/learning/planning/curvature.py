"""The largest curvature of any network's loss at the start of training, estimated from a sample of rows."""

from collections.abc import Callable, Generator
from dataclasses import replace
from math import isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array
from service.learning.layers import nodes
from service.learning.losses import relative
from service.learning.network import Network
from service.learning.rows.later import made
from service.learning.rows.one_hot import Rows, copied_rows, write_rows
from service.learning.rows.part import Part
from service.learning.training.coordinates import Coordinates, measured
from service.learning.training.recipe import Recipe

Gradient = Callable[[Array], Array]

BUDGET = 100_000_000  # operations that an estimate may take
FEWEST_ROWS = 8  # fewer tell too little about the loss of all
ITERATIONS = (24, 16, 10, 6, 4)
CONVERGED = 1e-3


VALUES = 20  # operations for every value between layers, forward and back


def sampled_curvature(
    network: Network, parameters: Array, train: Part, recipe: Recipe, *, fresh: bool = False
) -> float | None:
    """The largest eigenvalue of the Hessian of a batch's loss at `parameters`, in float64, within 10⁸ operations.

    None where rows this wide leave too small a sample, where layers draw random numbers, or where it is not finite.
    """
    layers = [node for node in nodes(network.root) if not node.children]
    coding = network.coding_of(train.inputs)
    busy = network.parameter_count - sum(network.weights_apart(coding).values())
    width = network.inputs if coding is None else coding.width
    per_row = 6 * busy + VALUES * (width + sum(node.outputs for node in layers))
    affordable = affordable_sample(len(train), per_row, network.parameter_count)
    if affordable is None or any(node.layer.draws for node in layers):
        return None
    rows, iterations = affordable
    sample = sample_of(train, rows, recipe)
    network = Network(network.layer, "float64")
    vector: Array = parameters.astype(np.float64)
    scaling = Coordinates()
    if recipe.standardise:
        scaling = scaling_of_sample(sample, recipe)
        vector = vector if fresh else scaling.to_standardised(network, vector)
        recipe = replace(recipe, loss=scaling.loss(recipe.loss))
    gradient, theta = gradient_over(sample, network, vector, recipe, scaling)
    with np.errstate(all="ignore"):
        try:
            curvature = largest_curvature(gradient, theta, iterations)
        except np.linalg.LinAlgError:
            return None
    batch = min(recipe.batch_size or len(train), len(train))
    curvature *= batch / rows if recipe.loss.agg == "sum" else 1
    return curvature if isfinite(curvature) else None


class Sample(NamedTuple):
    """Some rows of a part in float64, in memory of their own."""

    inputs: Rows
    targets: Array
    weights: Array | None
    numbers: tuple[bool, ...] | None


def sample_of(train: Part, rows: int, recipe: Recipe) -> Sample:
    """Return `rows` rows, evenly spread, with weights of mean 1 where the loss is a mean."""
    chosen = sample_indices(len(train), rows)
    weights: Array | None = None if train.weights is None else train.weights[chosen].astype(np.float64)
    if weights is not None and recipe.loss.agg == "mean":
        weights = relative(weights)
        weights /= weights.mean() or 1.0
    inputs = copied_rows(made(train.inputs), chosen, "float64")
    return Sample(inputs, train.targets[chosen].astype(np.float64), weights, train.numbers)


def scaling_of_sample(sample: Sample, recipe: Recipe) -> Coordinates:
    part = Part(sample.inputs, sample.targets, numbers=sample.numbers)
    measuring: Generator[float, None, Coordinates] = measured(part, recipe.standardise, "float64")
    while True:
        try:
            next(measuring)
        except StopIteration as end:
            scaling: Coordinates = end.value
            return scaling


def gradient_over(
    sample: Sample, network: Network, vector: Array, recipe: Recipe, scaling: Coordinates
) -> tuple[Gradient, Array]:
    """Return the gradient of the loss over a sample as a function of the parameters that move, and these."""
    frozen = network.arrays_of(recipe.frozen)
    slots = [slot for node in nodes(network.root) for slot in node.slots if slot.trainable and slot.start not in frozen]
    moving = np.concatenate([np.arange(slot.start, slot.start + slot.size) for slot in slots])
    gradient = np.zeros(network.parameter_count)
    coding = network.coding_of(sample.inputs)
    tape, inputs, outputs = network.tape_of(coding, vector, len(sample.inputs), gradient, frozen)
    assert outputs.gradient is not None
    weights = None if sample.weights is None else sample.weights.reshape(-1, 1)
    evaluate = recipe.loss.bind(outputs.value, sample.targets, outputs.gradient, weights)
    write_rows(sample.inputs, slice(None), inputs)
    scaling.apply(inputs)

    def at(theta: Array) -> Array:
        vector[moving] = theta
        tape.run()
        evaluate()
        tape.pull_back()
        moved: Array = gradient[moving]
        return moved

    return at, vector[moving]


def affordable_sample(rows: int, operations_per_row: int, parameters: int) -> tuple[int, int] | None:
    """(rows, iterations) of an estimate within the budget; None where it would be left with too few rows to mean much.

    `operations_per_row` are those of one row's gradient; an iteration takes two gradients, and work on whole vectors.
    """
    wanted = min(rows, FEWEST_ROWS)
    for iterations in ITERATIONS:
        for_rows = BUDGET - iterations * (4 * iterations + 8) * parameters
        count = min(rows, for_rows // (2 * iterations * operations_per_row))
        if count >= min(rows, 32 * FEWEST_ROWS) or (iterations == ITERATIONS[-1] and count >= wanted):
            return count, iterations
    return None


def sample_indices(rows: int, count: int) -> NDArray[np.int64]:
    """`count` of `rows` row numbers, evenly spread, always the same."""
    return np.linspace(0, rows - 1, count).astype(np.int64)


def largest_curvature(gradient: Gradient, theta: Array, iterations: int = ITERATIONS[0]) -> float:
    """Return the largest eigenvalue of the Hessian at θ, by the power iteration that forgets nothing (Lanczos).

    Each product of the Hessian with a direction is a central difference of gradients, (g(θ + hv) − g(θ − hv)) / 2h.
    With h the cube root of the dtype's precision a product is right to about 10⁻⁹ of the curvature in float64, and 10⁻⁴
    in float32. The eigenvalue ends within 10⁻³, or, where iterations run out, somewhat low; never too high by more.
    """
    h = float(np.finfo(theta.dtype).eps) ** (1 / 3) * max(1.0, float(np.linalg.norm(theta)))
    direction = np.random.default_rng(0).standard_normal(len(theta))
    basis = np.empty((min(iterations, len(theta)), len(theta)))
    triangle = np.zeros((len(basis), len(basis)))
    largest = 0.0
    for k in range(len(basis)):
        basis[k] = direction / np.linalg.norm(direction)
        forward = gradient((theta + h * basis[k]).astype(theta.dtype)).astype(np.float64)
        direction = (forward - gradient((theta - h * basis[k]).astype(theta.dtype))) / (2 * h)
        triangle[k, k] = basis[k] @ direction
        for _ in range(2):  # once is not enough: rounding lets the first eigenvector back in
            direction -= (basis[: k + 1] @ direction) @ basis[: k + 1]
        rest = float(np.linalg.norm(direction))
        values, vectors = np.linalg.eigh(triangle[: k + 1, : k + 1])
        largest = float(values[-1])
        if rest * abs(float(vectors[-1, -1])) <= CONVERGED * abs(largest):
            break
        if k + 1 < len(basis):
            triangle[k, k + 1] = triangle[k + 1, k] = rest
    return largest
