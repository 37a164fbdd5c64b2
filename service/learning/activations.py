"""Activation functions, each with its own pull-back.

A new one defines `value` and `slope`. Those that matter most define `bind` as well: the same two steps in prepared
buffers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from service.learning.architecture import Layer, Node
from service.learning.arrays import Array, largest_of_rows, sum_of_rows
from service.learning.tape import Signal, Tape
from service.learning.vocabulary import Registry

Activate = Callable[[], object]
PullBack = Callable[[Array], None]


class Activation(Layer):
    """A function of one number, or (`whole_row`) of a whole row; also a layer of its own.

    `from_output`: the slope can be written in terms of the output alone, so a layer may activate in place.
    """

    __slots__ = ()
    from_output: ClassVar[bool] = False
    whole_row: ClassVar[bool] = False

    def value(self, x: Array) -> Array:
        """The function's values, in a new array."""
        raise NotImplementedError

    def slope(self, x: Array, y: Array) -> Array:
        """The derivative at x, where the value is y (x is y where the layer activates in place)."""
        raise NotImplementedError

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        """For fixed buffers: what writes y from x, and what turns a gradient by y into the gradient by x in place."""

        def activate() -> None:
            y[...] = self.value(x)

        def pull_back(dy: Array) -> None:
            np.multiply(dy, self.slope(x, y), out=dy)

        return activate, pull_back

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        y = tape.signal(node.outputs)
        activate, pull_back = self.bind(x.value, y.value)

        def backward() -> None:
            if y.gradient is not None and x.gradient is not None:
                pull_back(y.gradient)
                np.copyto(x.gradient, y.gradient)

        tape.record(activate, backward)
        return y


ACTIVATIONS: Registry[Activation] = Registry("descent.activations")


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


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + exp(-x)); where exp overflows the quotient is 0, as it should be."""
    y: Array = np.negative(x, out=out)
    np.exp(y, out=y)
    np.add(y, 1, out=y)
    return np.reciprocal(y, out=y)
