"""How strongly the loss of any network bends where training begins, from a sample of rows."""

from collections.abc import Generator
from math import isfinite
from typing import NamedTuple

import numpy as np

from service.learning.architecture import nodes
from service.learning.arrays import Array
from service.learning.batches import Part
from service.learning.loss import relative
from service.learning.network import Network
from service.learning.recipe import Recipe
from service.learning.scaling import Scaling, measure
from service.learning.stability import Gradient, Vector, affordable_sample, largest_curvature, sample_indices

VALUES = 20  # operations for every value between layers, forth and back


def sampled_curvature(
    network: Network, parameters: Array, train: Part, recipe: Recipe, *, fresh: bool = False
) -> float | None:
    """The largest eigenvalue of the Hessian of a batch's loss at `parameters`, in float64, within 10⁸ operations.

    None where rows this wide leave too small a sample, where layers draw random numbers, or where it is not finite.
    """
    layers = [node for node in nodes(network.root) if not node.children]
    per_row = 6 * network.parameter_count + VALUES * (network.inputs + sum(node.outputs for node in layers))
    affordable = affordable_sample(len(train), per_row, network.parameter_count)
    if affordable is None or any(node.layer.draws for node in layers):
        return None
    rows, iterations = affordable
    sample = sample_of(train, rows, recipe)
    network = Network(network.layer, "float64")
    vector: Array = parameters.astype(np.float64)
    if recipe.standardise:
        scaling = scaling_of_sample(sample)
        scaling.apply(sample.inputs)
        vector = vector if fresh else scaling.to_standardised(network, vector)
    gradient = gradient_over(sample, network, vector, recipe)
    with np.errstate(all="ignore"):
        try:
            curvature = largest_curvature(gradient, vector[: network.parameter_count].copy(), iterations)
        except np.linalg.LinAlgError:
            return None
    batch = min(recipe.batch_size or len(train), len(train))
    curvature *= batch / rows if recipe.loss.agg == "sum" else 1
    return curvature if isfinite(curvature) else None


class Sample(NamedTuple):
    """Some rows of a part, as float64 arrays of their own."""

    inputs: Array
    targets: Array
    weights: Array | None


def sample_of(train: Part, rows: int, recipe: Recipe) -> Sample:
    """So many rows, evenly spread, with weights of mean 1 where the loss is a mean."""
    chosen = sample_indices(len(train), rows)
    weights: Array | None = None if train.weights is None else train.weights[chosen].astype(np.float64)
    if weights is not None and recipe.loss.agg == "mean":
        weights = relative(weights)
        weights /= weights.mean() or 1.0
    return Sample(train.inputs[chosen].astype(np.float64), train.targets[chosen].astype(np.float64), weights)


def scaling_of_sample(sample: Sample) -> Scaling:
    measuring: Generator[float, None, Scaling] = measure(Part(sample.inputs, sample.targets))
    while True:
        try:
            next(measuring)
        except StopIteration as end:
            scaling: Scaling = end.value
            return scaling


def gradient_over(sample: Sample, network: Network, vector: Array, recipe: Recipe) -> Gradient:
    """The gradient of the loss over a sample at once, as a function of the trainable parameters in `vector`."""
    count = network.parameter_count
    gradient = np.zeros(count)
    tape, inputs, outputs = network.tape(vector, len(sample.inputs), gradient)
    assert outputs.gradient is not None
    weights = None if sample.weights is None else sample.weights.reshape(-1, 1)
    evaluate = recipe.loss.bind(outputs.value, sample.targets, outputs.gradient, weights)
    np.copyto(inputs, sample.inputs)

    def at(theta: Vector) -> Vector:
        vector[:count] = theta
        tape.run()
        evaluate()
        tape.pull_back()
        return gradient.copy()

    return at
