"""Activations that are smooth everywhere."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import chebyshev

from service.learning.activation import ACTIVATIONS, Activation
from service.learning.arrays import Array


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)); where exp overflows the quotient is 0, as it should be."""
    y: Array = np.negative(x, out=out)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.reciprocal(y, out=y)


def tanh(x: Array) -> Array:
    y: Array = np.tanh(x)
    return y


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


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
        return softplus(-2 * abs(x)) + abs(x) - math.log(2)

    def slope(self, x: Array, y: Array) -> Array:
        return tanh(x)


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class TanhShrink(Activation):
    """x - tanh(x)"""

    name = "tanhshrink"

    def value(self, x: Array) -> Array:
        return x - tanh(x)

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


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class GELUTanh(Activation):
    """x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))

    The approximation of gelu_erf that D. Hendrycks and K. Gimpel give in "Gaussian Error Linear Units", 2016.
    """

    name = "gelu_tanh"
    aliases = ("gelu",)

    def value(self, x: Array) -> Array:
        return 0.5 * x * (1 + self._tanh(x))

    def slope(self, x: Array, y: Array) -> Array:
        t = self._tanh(x)
        inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner

    @staticmethod
    def _tanh(x: Array) -> Array:
        return tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))


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
        return s * (1 + 1.702 * x * (1 - s))


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


FARTHEST = 12.0  # erfc is below 1e-64 beyond


@cache
def erfc_coefficients() -> Array:
    """Of log(erfc(z) exp(z²) / t) as a polynomial of t = 2 / (2 + z), from t = 2 / (2 + FARTHEST) to 1."""
    low = 2 / (2 + FARTHEST)

    points = chebyshev.chebpts1(31)
    t = (points + 1) * (1 - low) / 2 + low
    exponents = [math.log(math.erfc(2 / s - 2)) + (2 / s - 2) ** 2 - math.log(s) for s in t.tolist()]
    return chebyshev.chebfit(points, exponents, 30)


def erfc(x: Array) -> Array:
    """2/√π ∫ exp(-t²) dt from x to infinity; NumPy has none.

    With t = 2 / (2 + |x|) it is t exp(-x² + p(t)) for x ≥ 0, p a polynomial: W. H. Press et al., "Numerical Recipes".
    """
    z = np.minimum(abs(x), FARTHEST)
    t = 2 / (2 + z)
    low = 2 / (2 + FARTHEST)
    p = chebyshev.chebval(2 * (t - low) / (1 - low) - 1, erfc_coefficients())
    tail: Array = (t * np.exp(p - z * z)).astype(x.dtype)
    return np.where(x < 0, 2 - tail, tail)
