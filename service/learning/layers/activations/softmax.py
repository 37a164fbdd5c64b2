"""Softmax and its logarithm, over the columns of each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array, exponentials, largest_of_rows, sum_of_rows
from service.learning.layers.activations.activation import ACTIVATIONS, Activate, Activation, PullBack


@ACTIVATIONS.add
@dataclass(frozen=True, slots=True)
class Softmax(Activation):
    """exp(xᵢ) / Σⱼ exp(xⱼ), over each row"""

    name = "softmax"
    probabilities = "softmax"
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
