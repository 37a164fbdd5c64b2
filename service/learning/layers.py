"""Dense and Chain; the other layers are in the files that the imports name."""

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy import add

from service.learning.activations import Activation, Identity
from service.learning.architecture import LAYERS, ArchitectureError, Arrangement, Layer, Node, Placement, Slot
from service.learning.containers import Chain, Container
from service.learning.inits import GlorotUniform, Init, zeros
from service.learning.tape import Signal, Tape
from service.learning.vocabulary import Count, TermError

__all__ = ["LAYERS", "ArchitectureError", "Chain", "Container", "Dense", "Layer"]

IDENTITY = Identity()
GLOROT_UNIFORM = GlorotUniform()


@LAYERS.add
@dataclass(frozen=True, slots=True)
class Dense(Layer):
    """y = σ(W x + b)

    W is outputs × inputs, drawn from `init`; b begins with zeros, and there is none with bias=false.
    """

    name = "Dense"
    in_: Count
    out: Count
    activation: Activation = IDENTITY
    _: KW_ONLY
    bias: bool = True
    init: Init = GLOROT_UNIFORM

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        if self.activation.whole_row:
            name = self.activation.name
            raise TermError(
                "Dense", "activation", f"cannot be {name}, which takes a whole row: make {name} a layer of its own"
            )

    @property
    def inputs(self) -> int:
        return self.in_

    def describe(self) -> str:
        return f"Dense({self.in_} => {self.out})"

    def arrange(self, inputs: int, placement: Placement) -> Arrangement:
        weight = Slot("weight", (self.out, self.in_), self.init.draw, transposed=True)
        bias = Slot("bias", (self.out,), zeros)
        return Arrangement(self.out, (weight, bias) if self.bias else (weight,))

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        y = tape.signal(self.out)
        z = y.value if self.activation.from_output else np.empty_like(y.value)
        activate, pull_back = self.activation.bind(z, y.value)
        inputs = x.value
        values, gradients = tape.values(node), tape.gradients(node)
        weight, bias = values["weight"], values.get("bias")

        def forward() -> None:
            inputs.dot(weight, z)
            if bias is not None:
                add(z, bias, z)
            activate()

        if y.gradient is None:
            tape.record(forward)
            return y
        dy, dx, input_transposed, weight_transposed = y.gradient, x.gradient, inputs.T, weight.T
        d_weight, d_bias, ones = gradients["weight"], gradients.get("bias"), np.ones(tape.rows, weight.dtype)

        def backward() -> None:
            pull_back(dy)
            input_transposed.dot(dy, d_weight)
            if d_bias is not None:
                ones.dot(dy, d_bias)  # a product is several times faster than a sum over rows
            if dx is not None:
                dy.dot(weight_transposed, dx)

        tape.record(forward, backward)
        return y
