"""The classic activations: identity, tanh and sigmoid."""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.layers.activations.activation import ACTIVATIONS, Activate, Activation, PullBack
from service.learning.layers.activations.smooth import sigmoid


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


IDENTITY = Identity()


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
    probabilities = "sigmoid"
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
