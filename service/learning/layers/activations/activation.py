"""The base of activations: a function with its own pull-back."""

from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np

from service.learning.arrays import Array
from service.learning.layers.layer import Layer, Node
from service.learning.layers.tape import Signal, Tape
from service.learning.terms import Registry

Activate = Callable[[], object]
PullBack = Callable[[Array], None]


class Activation(Layer):
    """A function of one number, or (`whole_row`) of a whole row; also a layer of its own.

    A new one defines `value` and `slope`. Those that matter most define `bind` as well: the same two steps in prepared
    buffers. `from_output`: the slope can be written in terms of the output alone, so a layer may activate in place.
    `probabilities`: the values are those of the classes of a row ("softmax"), or of one class each ("sigmoid").
    """

    __slots__ = ()
    from_output: ClassVar[bool] = False
    whole_row: ClassVar[bool] = False
    probabilities: ClassVar[Literal["softmax", "sigmoid"] | None] = None

    def value(self, x: Array) -> Array:
        """The function's values, in a new array."""
        raise NotImplementedError

    def slope(self, x: Array, y: Array) -> Array:
        """The derivative at x, where the value is y (x is y where the layer activates in place)."""
        raise NotImplementedError

    def bind(self, x: Array, y: Array) -> tuple[Activate, PullBack]:
        """Return two calls on fixed buffers: one writes y = f(x), the other turns ∂L/∂y into ∂L/∂x in place."""

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


ACTIVATIONS: Registry[Activation] = Registry(
    "descent.activations", "service.learning.layers.activations", "service.learning.expressions"
)
