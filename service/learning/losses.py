"""The losses, named as in Flux."""

from dataclasses import dataclass

import numpy as np

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
            np.subtract(ŷ, y, out=gradient)
            loss = float(np.dot(flat, flat)) * scale
            np.multiply(gradient, 2 * scale, out=gradient)
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
        column = np.empty((rows, 1), ŷ.dtype)
        largest, sums, mass = np.empty_like(column), np.empty(rows, ŷ.dtype), np.empty(rows, ŷ.dtype)
        flat_z, flat_y = gradient.ravel(), y.ravel()

        def evaluate() -> float:
            np.maximum.reduce(ŷ, axis=1, out=largest, keepdims=True)
            z = np.subtract(ŷ, largest, out=gradient)
            matched = np.dot(flat_z, flat_y)
            np.exp(z, out=z)
            np.dot(z, ones, sums)
            np.dot(y, ones, mass)
            np.divide(mass, sums, out=column[:, 0])
            np.log(sums, out=sums)
            loss = float(np.dot(mass, sums) - matched) * scale
            np.multiply(z, column, out=z)
            np.subtract(z, y, out=z)
            np.multiply(z, scale, out=z)
            return loss

        return evaluate
