"""Layers that scale their inputs to mean 0 and variance 1."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.random import Generator

from service.learning.arrays import Array
from service.learning.layers.activations import IDENTITY, Activation
from service.learning.layers.layer import LAYERS, Layer, Node, ParameterSlot, Placement, Shape
from service.learning.layers.tape import Action, Signal, Tape
from service.learning.terms import Count, Positive, TermError


@dataclass(frozen=True, slots=True)
class Normalisation(Layer):
    """y = σ(scale ∘ x̂ + bias), where x̂ is the normalised input; scale and bias are left out with affine=false."""

    size: Count
    activation: Activation = IDENTITY
    _: KW_ONLY
    affine: bool = True
    eps: Positive = 1e-5

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        if self.activation.whole_row:
            name = self.activation.name
            raise TermError(self.name, "activation", f"cannot be {name}: make {name} a layer of its own")

    @property
    def inputs(self) -> int:
        return self.size

    def describe(self) -> str:
        return f"{self.name}({self.size})"

    def arrange(self, inputs: int, placement: Placement) -> Shape:
        scale, bias = ParameterSlot("scale", (self.size,), ones), ParameterSlot("bias", (self.size,), zeros)
        return Shape(self.size, (scale, bias) if self.affine else ())

    def finish(self, node: Node, normalised: Signal, tape: Tape) -> Signal:
        """Record scale, bias and activation behind the normalised input."""
        y = tape.signal(self.size)
        z = np.empty_like(y.value)
        activate, pull_back = self.activation.bind(z, y.value)
        values, gradients = tape.values(node), tape.gradients(node)
        scale, bias = values.get("scale"), values.get("bias")
        x̂, ones_of_rows = normalised.value, np.ones(tape.rows, z.dtype)
        product, frozen, by_row = np.empty_like(z), tape.is_frozen(node), tape.gradients_by_row(node)

        def forward() -> None:
            if scale is None or bias is None:
                np.copyto(z, x̂)
            else:
                np.multiply(x̂, scale, z)
                np.add(z, bias, z)
            activate()

        def backward() -> None:
            dy, dx̂ = y.gradient, normalised.gradient
            if dy is None or dx̂ is None:
                return
            pull_back(dy)
            if scale is None:
                np.copyto(dx̂, dy)
                return
            if by_row:
                np.multiply(dy, x̂, by_row["scale"])
                np.copyto(by_row["bias"], dy)
            elif not frozen:
                np.multiply(dy, x̂, product)
                ones_of_rows.dot(product, gradients["scale"])
                ones_of_rows.dot(dy, gradients["bias"])
            np.multiply(dy, scale, dx̂)

        tape.record(forward, backward)
        return y


@LAYERS.add
@dataclass(frozen=True, slots=True)
class LayerNorm(Normalisation):
    """y = σ(scale (x - μ) / √(s² + ϵ) + bias), with mean μ and variance s² of each row

    J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer Normalization", 2016.
    """

    name = "LayerNorm"

    @property
    def has_gradients_by_row(self) -> bool:
        return True

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        normalised = tape.signal(self.size)
        x̂, shape = normalised.value, (tape.rows, 1)
        mean, variance, deviation = (np.empty(shape, x̂.dtype) for _ in range(3))

        def forward() -> None:
            normalise(x.value, 1, self.eps, mean, variance, deviation, x̂)

        tape.record(forward, unnormalise(x, normalised, 1, deviation))
        return self.finish(node, normalised, tape)


@LAYERS.add
@dataclass(frozen=True, slots=True)
class BatchNorm(Normalisation):
    """y = σ(scale (x - μ) / √(s² + ϵ) + bias), with mean μ and variance s² of each column of the batch

    S. Ioffe, C. Szegedy, "Batch Normalization", 2015. Training keeps running averages, mean = (1 - momentum) mean +
    momentum μ, and likewise of the variance with divisor rows - 1; test mode uses those. So does a frozen one, in
    training too, and keeps them: the layers behind learn from the function that it will be, and it is one function
    whatever the other rows of a batch are.
    """

    name = "BatchNorm"
    _: KW_ONLY
    momentum: Annotated[float, Ge(0), Le(1)] = 0.1

    @property
    def differs_in_training(self) -> bool:
        return True

    @property
    def couples_rows(self) -> bool:
        return True

    def arrange(self, inputs: int, placement: Placement) -> Shape:
        outputs, slots, _ = Normalisation.arrange(self, inputs, placement)
        mean = ParameterSlot("mean", (self.size,), zeros, trainable=False)
        variance = ParameterSlot("variance", (self.size,), ones, trainable=False)
        return Shape(outputs, (*slots, mean, variance))

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        normalised = tape.signal(self.size)
        x̂, shape = normalised.value, (1, self.size)
        mean, variance, deviation = (np.empty(shape, x̂.dtype) for _ in range(3))
        values = tape.values(node)
        running_mean, running_variance = values["mean"], values["variance"]

        def train() -> None:
            normalise(x.value, 0, self.eps, mean, variance, deviation, x̂)

        def test() -> None:
            np.subtract(x.value, running_mean, x̂)
            np.divide(x̂, np.sqrt(running_variance + self.eps), x̂)

        def keep() -> None:
            unbiased = variance[0] * (tape.rows / (tape.rows - 1))
            running_mean[...] += self.momentum * (mean[0] - running_mean)
            running_variance[...] += self.momentum * (unbiased - running_variance)

        def through_test() -> None:
            dx, dx̂ = x.gradient, normalised.gradient
            if dx is not None and dx̂ is not None:
                np.divide(dx̂, np.sqrt(running_variance + self.eps), dx)

        if tape.training and not tape.is_frozen(node):
            tape.record(train, unnormalise(x, normalised, 0, deviation), keep)
        else:
            tape.record(test, through_test)
        return self.finish(node, normalised, tape)


def normalise(x: Array, axis: int, eps: float, mean: Array, variance: Array, deviation: Array, out: Array) -> None:
    """out = (x - mean) / deviation along the axis, with deviation = √(variance + ϵ)."""
    x.mean(axis=axis, keepdims=True, out=mean)
    np.subtract(x, mean, out)
    np.square(out).mean(axis=axis, keepdims=True, out=variance)
    np.add(variance, eps, deviation)
    np.sqrt(deviation, deviation)
    np.divide(out, deviation, out)


def unnormalise(x: Signal, normalised: Signal, axis: int, deviation: Array) -> Action:
    """Return the pull-back of `normalise`: dx = (dx̂ - mean(dx̂) - x̂ mean(dx̂ x̂)) / deviation."""
    x̂ = normalised.value

    def backward() -> None:
        dx, dx̂ = x.gradient, normalised.gradient
        if dx is None or dx̂ is None:
            return
        np.multiply(dx̂, x̂, dx)
        np.multiply(x̂, dx.mean(axis=axis, keepdims=True), dx)
        np.subtract(dx̂, dx, dx)
        np.subtract(dx, dx̂.mean(axis=axis, keepdims=True), dx)
        np.divide(dx, deviation, dx)

    return backward


def zeros(generator: Generator, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape)


def ones(generator: Generator, shape: tuple[int, ...]) -> Array:
    return np.ones(shape)
