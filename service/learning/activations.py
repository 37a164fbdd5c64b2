"""The classic activations, and those of whole rows; rectifiers.py and smooth.py have the others."""

from dataclasses import dataclass

import numpy as np

from service.learning.activation import ACTIVATIONS, Activate, Activation, PullBack
from service.learning.arrays import Array, largest_of_rows, sum_of_rows
from service.learning.logarithms import exponentials
from service.learning.rectifiers import ReLU
from service.learning.smooth import sigmoid

__all__ = [
    "ACTIVATIONS",
    "Activate",
    "Activation",
    "Identity",
    "PullBack",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "sigmoid",
]


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Identity(Activation):
    """x"""

    name = "identity"
    from_output = True

    def value(self, x: Array) -> Array:
        return x.copy()

    def slope(self, x: Array, y: Array) -> Array:
        return np.ones_like(y)

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        def nothing(dy: Array) -> None:
            pass

        return (lambda: None) if x is y else (lambda: np.copyto(y, x)), nothing


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Tanh(Activation):
    """tanh(x)"""

    name = "tanh"
    aliases = ("tanh_fast",)
    from_output = True

    def value(self, x: Array) -> Array:
        return np.tanh(x)

    def slope(self, x: Array, y: Array) -> Array:
        return 1 - y * y

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        lost = np.empty_like(y)

        def pull_back(dy: Array) -> None:
            np.multiply(y, y, out=lost)
            np.multiply(dy, lost, out=lost)
            np.subtract(dy, lost, out=dy)

        return lambda: np.tanh(x, out=y), pull_back


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Sigmoid(Activation):
    """1 / (1 + exp(-x))"""

    name = "sigmoid"
    aliases = ("σ", "sigmoid_fast")
    from_output = True

    def value(self, x: Array) -> Array:
        return sigmoid(x)

    def slope(self, x: Array, y: Array) -> Array:
        return y * (1 - y)

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        slope = np.empty_like(y)

        def pull_back(dy: Array) -> None:
            np.subtract(1, y, out=slope)
            np.multiply(slope, y, out=slope)
            np.multiply(dy, slope, out=dy)

        return lambda: sigmoid(x, out=y), pull_back


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Softmax(Activation):
    """exp(xᵢ) / Σⱼ exp(xⱼ), over each row"""

    name = "softmax"
    from_output = True
    whole_row = True

    def value(self, x: Array) -> Array:
        e = np.exp(x - largest_of_rows(x))
        return e / sum_of_rows(e)

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        def activate() -> None:
            y[...] = self.value(x)

        def pull_back(dy: Array) -> None:
            dy -= sum_of_rows(dy * y)
            dy *= y

        return activate, pull_back


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class LogSoftmax(Activation):
    """xᵢ - log Σⱼ exp(xⱼ), over each row"""

    name = "logsoftmax"
    from_output = True
    whole_row = True

    def value(self, x: Array) -> Array:
        z, _, rest = exponentials(x)
        return z - np.log1p(rest)

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        def activate() -> None:
            y[...] = self.value(x)

        def pull_back(dy: Array) -> None:
            dy -= np.exp(y) * sum_of_rows(dy)

        return activate, pull_back
