"""Activations made of straight pieces, or of one and an exponential."""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.layers.activations.activation import ACTIVATIONS, Activate, Activation, PullBack
from service.learning.terms import NonNegative, Positive


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class ReLU(Activation):
    """max(x, 0)"""

    name = "relu"
    from_output = True

    def value(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def slope(self, x: Array, y: Array) -> Array:
        return (y > 0).astype(y.dtype)

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        zeros = np.zeros_like(x)  # NumPy's maximum of two arrays is twice as fast as that of an array and a number
        positive = np.empty(y.shape, np.bool_)

        def pull_back(dy: Array) -> None:
            np.greater(y, 0, positive)
            np.multiply(dy, positive, dy)

        return lambda: np.maximum(x, zeros, out=y), pull_back


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class LeakyReLU(Activation):
    """max(a x, x)

    For a > 1 this is what NNlib computes, too: its code takes a x below 0 and x above.
    """

    name = "leakyrelu"
    a: float = 0.01

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x, self.a * x)

    def slope(self, x: Array, y: Array) -> Array:
        return np.where(x > 0, 1, self.a).astype(x.dtype)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class ReLU6(Activation):
    """min(max(x, 0), 6)"""

    name = "relu6"

    def value(self, x: Array) -> Array:
        return np.clip(x, 0, 6)

    def slope(self, x: Array, y: Array) -> Array:
        return between(x, 0, 6)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class ThresholdedReLU(Activation):
    """x for x > θ, else 0"""

    name = "trelu"
    aliases = ("thresholdrelu",)
    theta: float = 1.0

    def value(self, x: Array) -> Array:
        return np.where(x > self.theta, x, 0).astype(x.dtype)

    def slope(self, x: Array, y: Array) -> Array:
        return (x > self.theta).astype(x.dtype)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class ELU(Activation):
    """x for x > 0, else α (exp(x) - 1)"""

    name = "elu"
    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * np.expm1(x))

    def slope(self, x: Array, y: Array) -> Array:
        return np.where(x > 0, 1, self.alpha * np.exp(x)).astype(x.dtype)


SELU_LAMBDA = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class SELU(Activation):
    """λ x for x > 0, else λ α (exp(x) - 1), with λ = 1.0507… and α = 1.6732…

    G. Klambauer et al., "Self-Normalizing Neural Networks", 2017.
    """

    name = "selu"

    def value(self, x: Array) -> Array:
        return SELU_LAMBDA * np.where(x > 0, x, SELU_ALPHA * np.expm1(x))

    def slope(self, x: Array, y: Array) -> Array:
        return SELU_LAMBDA * np.where(x > 0, 1, SELU_ALPHA * np.exp(x)).astype(x.dtype)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class CELU(Activation):
    """x for x > 0, else α (exp(x/α) - 1)"""

    name = "celu"
    alpha: Positive = 1.0

    def value(self, x: Array) -> Array:
        return np.where(x > 0, x, self.alpha * np.expm1(x / self.alpha))

    def slope(self, x: Array, y: Array) -> Array:
        return np.where(x > 0, 1, np.exp(x / self.alpha)).astype(x.dtype)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class HardTanh(Activation):
    """min(max(x, -1), 1)"""

    name = "hardtanh"

    def value(self, x: Array) -> Array:
        return np.clip(x, -1, 1)

    def slope(self, x: Array, y: Array) -> Array:
        return between(x, -1, 1)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class HardSigmoid(Activation):
    """min(max((x + 3)/6, 0), 1)"""

    name = "hardsigmoid"
    aliases = ("hardσ",)

    def value(self, x: Array) -> Array:
        return np.clip((x + 3) / 6, 0, 1)

    def slope(self, x: Array, y: Array) -> Array:
        return between(x, -3, 3) / 6


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class HardSwish(Activation):
    """x min(max((x + 3)/6, 0), 1)"""

    name = "hardswish"

    def value(self, x: Array) -> Array:
        return x * np.clip((x + 3) / 6, 0, 1)

    def slope(self, x: Array, y: Array) -> Array:
        return np.where(x >= 3, 1, between(x, -3, 3) * (x / 3 + 0.5)).astype(x.dtype)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class SoftShrink(Activation):
    """x - λ for x > λ, x + λ for x < -λ, else 0"""

    name = "softshrink"
    lambda_: NonNegative = 0.5

    def value(self, x: Array) -> Array:
        return x - np.clip(x, -self.lambda_, self.lambda_)

    def slope(self, x: Array, y: Array) -> Array:
        return (np.abs(x) > self.lambda_).astype(x.dtype)


def between(x: Array, low: float, high: float) -> Array:
    """1 where low < x < high, else 0."""
    return ((x > low) & (x < high)).astype(x.dtype)
