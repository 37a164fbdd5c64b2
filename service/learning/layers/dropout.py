"""Dropout."""

from dataclasses import dataclass

import numpy as np

from service.learning.layers.layer import LAYERS, Layer, Node
from service.learning.layers.tape import Signal, Tape
from service.learning.terms import Fraction


@LAYERS.add
@dataclass(frozen=True, slots=True)
class Dropout(Layer):
    """y = x m / (1 - p), m = 0 with probability p, else 1; y = x in test mode

    N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", 2014.
    """

    name = "Dropout"
    p: Fraction

    @property
    def differs_in_training(self) -> bool:
        return self.p > 0

    @property
    def draws(self) -> bool:
        return self.p > 0

    def record(self, node: Node, x: Signal, tape: Tape) -> Signal:
        if not tape.training or not self.draws:
            return x
        y = tape.signal(node.outputs)
        mask = np.empty_like(y.value)
        kept = np.empty(mask.shape, np.bool_)
        scale = 1 / (1 - self.p)

        def forward() -> None:
            tape.generator.random(out=mask, dtype=mask.dtype.type)
            np.greater_equal(mask, self.p, kept)
            np.multiply(kept, scale, mask)
            np.multiply(x.value, mask, y.value)

        def backward() -> None:
            if x.gradient is not None and y.gradient is not None:
                np.multiply(y.gradient, mask, x.gradient)

        tape.record(forward, backward)
        return y
