"""The losses, named as in Flux."""

from dataclasses import dataclass

import numpy as np
from numpy import copyto, divide, exp, log, maximum, multiply, subtract

from service.learning.arrays import Array, largest_of_rows, sum_of_rows
from service.learning.loss import LOSSES, Evaluate, Loss

__all__ = ["LOSSES", "Loss"]


@LOSSES.add
@dataclass(frozen=True, slots=True)
class MSE(Loss):
    """agg((ŷ - y)²)"""

    name = "mse"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.square(ŷ - y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return 2 * (ŷ - y)

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        if weights is not None:
            return Loss.bind(self, ŷ, y, gradient, weights)
        scale = 1.0 if self.agg == "sum" else 1 / ŷ.size
        flat = gradient.ravel()

        def evaluate() -> float:
            subtract(ŷ, y, gradient)
            loss = float(flat.dot(flat)) * scale
            multiply(gradient, 2 * scale, gradient)
            return loss

        return evaluate


@LOSSES.add
@dataclass(frozen=True, slots=True)
class LogitCrossEntropy(Loss):
    """agg(-Σᵢ yᵢ logsoftmax(ŷ)ᵢ), over each row"""

    name = "logitcrossentropy"

    def terms(self, ŷ: Array, y: Array) -> Array:
        z = ŷ - largest_of_rows(ŷ)
        return sum_of_rows(y * (np.log(sum_of_rows(np.exp(z))) - z))

    def slope(self, ŷ: Array, y: Array) -> Array:
        e = np.exp(ŷ - largest_of_rows(ŷ))
        return e * (sum_of_rows(y) / sum_of_rows(e)) - y

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        if weights is not None:
            return Loss.bind(self, ŷ, y, gradient, weights)
        rows, outputs = ŷ.shape
        scale = 1.0 if self.agg == "sum" else 1 / rows
        ones = np.ones(outputs, ŷ.dtype)
        columns = np.empty((outputs, rows), ŷ.dtype)
        largest, sums, mass, share = (np.empty(rows, ŷ.dtype) for _ in range(4))
        by_row, largest_column, share_column = columns.T, largest.reshape(-1, 1), share.reshape(-1, 1)
        z, flat_z, flat_y = gradient, gradient.ravel(), y.ravel()

        def evaluate() -> float:
            copyto(by_row, ŷ)  # of columns as rows the largest are found several times faster
            maximum.reduce(columns, axis=0, out=largest)
            subtract(ŷ, largest_column, z)
            matched = flat_z.dot(flat_y)
            exp(z, z)
            z.dot(ones, sums)
            y.dot(ones, mass)
            divide(mass, sums, share)
            log(sums, sums)
            loss = float(mass.dot(sums) - matched) * scale
            multiply(z, share_column, z)
            subtract(z, y, z)
            multiply(z, scale, z)
            return loss

        return evaluate
