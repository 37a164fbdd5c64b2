"""The Dense layer."""

from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np
from numpy import add, multiply
from numpy.random import Generator

from service.learning.arrays import Array
from service.learning.initialisations import GlorotUniform, Init
from service.learning.layers.activations import IDENTITY, Activation
from service.learning.layers.coded_product import backward_of, forward_of
from service.learning.layers.layer import LAYERS, Layer, Node, ParameterSlot, Placement, Shape
from service.learning.layers.tape import Action, Signal, Tape
from service.learning.terms import Count, TermError

GLOROT_UNIFORM = GlorotUniform()


@LAYERS.add
@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """y = σ(W x + b)

    W is outputs × inputs, drawn from `init`. `bias` holds the numbers that b begins with, true means zeros; with false
    there is no b.
    """

    name = "Dense"
    in_: Count
    out: Count
    activation: Activation = IDENTITY
    _: KW_ONLY
    bias: bool | tuple[float, ...] = True
    init: Init = GLOROT_UNIFORM

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        if self.activation.whole_row:
            name = self.activation.name
            raise TermError(
                "Dense", "activation", f"cannot be {name}, which takes a whole row: make {name} a layer of its own"
            )
        if isinstance(self.bias, tuple) and len(self.bias) != self.out:
            raise TermError("Dense", "bias", f"must have {self.out} numbers, not {len(self.bias)}")

    @property
    def inputs(self) -> int:
        return self.in_

    @property
    def has_gradients_by_row(self) -> bool:
        return True

    @property
    def takes_codes(self) -> bool:
        return True

    def describe(self) -> str:
        return f"Dense({self.in_} => {self.out})"

    def arrange(self, inputs: int, placement: Placement) -> Shape:
        weight = ParameterSlot("weight", (self.out, self.in_), self.init.draw, transposed=True)
        if self.bias is False:
            return Shape(self.out, (weight,))
        return Shape(self.out, (weight, ParameterSlot("bias", (self.out,), self._first_bias)))

    def _first_bias(self, generator: Generator, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape) if self.bias is True else np.array(self.bias)

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        y = tape.signal(self.out)
        z = y.value if self.activation.from_output else np.empty_like(y.value)
        activate, pull_back = self.activation.bind(z, y.value)
        inputs = x.value
        values, gradients = tape.values(node), tape.gradients(node)
        weight, bias = values["weight"], values.get("bias")

        multiply_by_weight = forward_of(x.coded, weight, z) if x.coded is not None else partial(inputs.dot, weight, z)

        def forward() -> None:
            multiply_by_weight()
            if bias is not None:
                add(z, bias, z)
            activate()

        if y.gradient is None:
            tape.record(forward)
            return y
        dy, dx, weight_transposed = y.gradient, x.gradient, weight.T
        d_weight, d_bias, ones = gradients.get("weight"), gradients.get("bias"), np.ones(tape.rows, weight.dtype)

        if x.coded is not None and d_weight is not None:
            add_by_weight = backward_of(x.coded, dy, d_weight)
        else:
            add_by_weight = partial(inputs.T.dot, dy, d_weight)

        def backward() -> None:
            pull_back(dy)
            add_by_weight()
            if d_bias is not None:
                ones.dot(dy, d_bias)  # a product is several times faster than a sum over rows
            if dx is not None:
                dy.dot(weight_transposed, dx)

        write_by_row = _writer_by_row(inputs, dy, tape.gradients_by_row(node))

        def backward_by_row() -> None:
            pull_back(dy)
            write_by_row()
            if dx is not None:
                dy.dot(weight_transposed, dx)

        summed = tape.by_row is None and not tape.is_frozen(node)
        tape.record(forward, backward if summed else backward_by_row)
        return y


def _writer_by_row(inputs: Array, dy: Array, by_row: dict[str, Array]) -> Action:
    """Return a call that writes each row's gradients of weight and bias, where there is room for them."""
    weight, bias, columns, slopes = by_row.get("weight"), by_row.get("bias"), inputs[:, :, None], dy[:, None, :]

    def write() -> None:
        if weight is not None:
            multiply(columns, slopes, weight)
        if bias is not None:
            np.copyto(bias, dy)

    return write
