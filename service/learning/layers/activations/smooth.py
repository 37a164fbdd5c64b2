"""Activations that are smooth everywhere."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.polynomial import chebyshev

from service.learning.arrays import Array
from service.learning.layers.activations.activation import ACTIVATIONS, Activation

Operand = TypeVar("Operand", bound=Any)
"""An array, or a value of another library that has Python's operators."""


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)); where exp overflows the quotient is 0, as it should be."""
    y: Array = np.negative(x, out=out)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.reciprocal(y, out=y)


def tanh(x: Array) -> Array:
    y: Array = np.tanh(x)
    return y


def softplus(x: Array, out: Array | None = None) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))"""
    y: Array = np.abs(x, out=out)
    np.negative(y, out=y)
    np.exp(y, out=y)
    np.log1p(y, out=y)
    return np.add(y, np.maximum(x, 0), out=y)


def logcosh(x: Array, out: Array | None = None) -> Array:
    """log cosh(x) = log(1 + 2 sinh²(b/2)) + |x| - b, b = min(|x|, 20): beyond, it is a straight line."""
    size = abs(x)
    near = np.minimum(size, 20)
    y: Array = np.sinh(0.5 * near, out=out)
    np.multiply(y, y, out=y)
    np.add(y, y, out=y)
    np.log1p(y, out=y)
    return np.add(y, size - near, out=y)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class LogSigmoid(Activation):
    """-log(1 + exp(-x))"""

    name = "logsigmoid"
    aliases = ("logσ",)

    def value(self, x: Array) -> Array:
        return -softplus(-x)

    def slope(self, x: Array, y: Array) -> Array:
        return sigmoid(-x)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Softplus(Activation):
    """log(1 + exp(x))"""

    name = "softplus"

    def value(self, x: Array) -> Array:
        return softplus(x)

    def slope(self, x: Array, y: Array) -> Array:
        return sigmoid(x)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Softsign(Activation):
    """x / (1 + |x|)"""

    name = "softsign"

    def value(self, x: Array) -> Array:
        return x / (1 + abs(x))

    def slope(self, x: Array, y: Array) -> Array:
        return (1 + abs(x)) ** -2.0


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class LogCosh(Activation):
    """log cosh(x)"""

    name = "logcosh"

    def value(self, x: Array) -> Array:
        return logcosh(x)

    def slope(self, x: Array, y: Array) -> Array:
        return tanh(x)


def tanhshrink_near_0(x: Operand) -> Operand:
    """x - tanh(x) by five steps of Lambert's fraction, tanh(x) = x / (1 + x²/(3 + x²/(5 + …))): nothing cancels."""
    s = x * x
    y: Operand = x * s * ((s + 189) * s + 3465) / (((s + 210) * s + 4725) * s + 10395)
    return y


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class TanhShrink(Activation):
    """x - tanh(x)"""

    name = "tanhshrink"

    def value(self, x: Array) -> Array:
        return np.where(abs(x) > 0.25, x - tanh(x), tanhshrink_near_0(x))

    def slope(self, x: Array, y: Array) -> Array:
        t = tanh(x)
        return t * t


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class LiSHT(Activation):
    """x tanh(x)

    S. K. Roy et al., "LiSHT: Non-Parametric Linearly Scaled Hyperbolic Tangent", 2019.
    """

    name = "lisht"

    def value(self, x: Array) -> Array:
        return x * tanh(x)

    def slope(self, x: Array, y: Array) -> Array:
        t = tanh(x)
        return t + x * (1 - t * t)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Swish(Activation):
    """x / (1 + exp(-x))

    P. Ramachandran et al., "Searching for Activation Functions", 2017.
    """

    name = "swish"

    def value(self, x: Array) -> Array:
        return x * sigmoid(x)

    def slope(self, x: Array, y: Array) -> Array:
        s = sigmoid(x)
        return s * (1 + x * (1 - s))


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Mish(Activation):
    """x tanh(log(1 + exp(x)))

    D. Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
    """

    name = "mish"

    def value(self, x: Array) -> Array:
        return x * tanh(softplus(x))

    def slope(self, x: Array, y: Array) -> Array:
        t = tanh(softplus(x))
        return t + x * (1 - t * t) * sigmoid(x)


GELU_TANH_SCALE = 2 * math.sqrt(2 / math.pi)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class GELUTanh(Activation):
    """x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))

    The approximation of gelu_erf by D. Hendrycks and K. Gimpel in "Gaussian Error Linear Units", 2016.
    """

    name = "gelu_tanh"
    aliases = ("gelu",)

    def value(self, x: Array) -> Array:
        return x * sigmoid(GELU_TANH_SCALE * x * (1 + 0.044715 * x * x))  # (1 + tanh(z))/2 without its cancellation

    def slope(self, x: Array, y: Array) -> Array:
        x = np.clip(x, -30, 30)  # beyond, the slope is 0 or 1, and x² may be infinite
        square = 0.044715 * x * x
        s = sigmoid(GELU_TANH_SCALE * x * (1 + square))
        return s + s * (1 - s) * GELU_TANH_SCALE * x * (1 + 3 * square)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class GELUSigmoid(Activation):
    """x / (1 + exp(-1.702 x))

    The quicker approximation of gelu_erf.
    """

    name = "gelu_sigmoid"

    def value(self, x: Array) -> Array:
        return x * sigmoid(1.702 * x)

    def slope(self, x: Array, y: Array) -> Array:
        s = sigmoid(1.702 * x)
        return s + x * (1.702 * s * (1 - s))  # in this order: 1.702 x may be infinite


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class GELUErf(Activation):
    """x/2 (1 + erf(x/√2))

    D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units", 2016.
    """

    name = "gelu_erf"

    def value(self, x: Array) -> Array:
        return 0.5 * x * erfc(-x / math.sqrt(2))

    def slope(self, x: Array, y: Array) -> Array:
        return 0.5 * erfc(-x / math.sqrt(2)) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


FARTHEST = 28.0  # erfc is below the smallest number of float64 beyond


@cache
def erfc_coefficients() -> Array:
    """Coefficients of log(erfc(z) exp(z²) / t) as a polynomial of t = 2 / (2 + z), from t = 2 / (2 + FARTHEST) to 1."""
    low = 2 / (2 + FARTHEST)
    points = chebyshev.chebpts1(31)
    t = ((points + 1) * (1 - low) / 2 + low).tolist()
    return chebyshev.chebfit(points, [_log_erfcx(2 / s - 2) - math.log(s) for s in t], 30)


def _log_erfcx(z: float) -> float:
    """log(erfc(z) exp(z²)) for z ≥ 0; from 2 on by the continued fraction √π (z + ½/(z + 1/(z + 1½/…))) below 1."""
    if z < 2:
        return math.log(math.erfc(z)) + z * z
    fraction = z
    for k in range(60, 0, -1):
        fraction = z + k / 2 / fraction
    return -math.log(math.sqrt(math.pi) * fraction)


def erfc(x: Array) -> Array:
    """2/√π ∫ exp(-t²) dt from x to infinity; NumPy has none.

    With t = 2 / (2 + |x|) it is t exp(-x² + p(t)) for x ≥ 0, p a polynomial: W. H. Press et al., "Numerical Recipes".
    x² is taken as r² + (|x| - r)(|x| + r), r a multiple of 1/16 whose square is exact.
    """
    z = np.minimum(abs(x), FARTHEST).astype(np.float64)
    t = 2 / (2 + z)
    low = 2 / (2 + FARTHEST)
    p = chebyshev.chebval(2 * (t - low) / (1 - low) - 1, erfc_coefficients())
    r = np.rint(16 * z) / 16
    tail: Array = (t * np.exp(p - (z - r) * (z + r)) * np.exp(-r * r)).astype(x.dtype)
    return np.where(x < 0, 2 - tail, tail)
