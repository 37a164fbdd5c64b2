"""Losses of classes and of probabilities, named as in Flux."""

from dataclasses import dataclass

import numpy as np
from numpy import copyto, divide, exp, log, maximum, multiply, subtract

from service.learning.arrays import Array, largest_of_rows, precision, sum_of_rows, xlogy
from service.learning.loss import LOSSES, AggregatedLoss, Evaluate
from service.learning.smooth import sigmoid, softplus
from service.learning.vocabulary import NonNegative


@LOSSES.add
@dataclass(frozen=True, slots=True)
class CrossEntropy(AggregatedLoss):
    """agg(-Σᵢ yᵢ log(ŷᵢ + ϵ)), over each row

    ŷ are probabilities, as behind softmax; logitcrossentropy of what goes into softmax is more exact. `eps` None is the
    dtype's precision.
    """

    name = "crossentropy"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        return -sum_of_rows(xlogy(y, ŷ + precision(self.eps, ŷ)))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -over(y, ŷ + precision(self.eps, ŷ))


@LOSSES.add
@dataclass(frozen=True, slots=True)
class LogitCrossEntropy(AggregatedLoss):
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
            return AggregatedLoss.bind(self, ŷ, y, gradient, weights)
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


@LOSSES.add
@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy(AggregatedLoss):
    """agg(-y log(ŷ + ϵ) - (1 - y) log(1 - ŷ + ϵ))

    ŷ are probabilities, as behind sigmoid; logitbinarycrossentropy of what goes into sigmoid is more exact.
    """

    name = "binarycrossentropy"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        return -xlogy(y, ŷ + eps) - xlogy(1 - y, 1 - ŷ + eps)

    def slope(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        return over(1 - y, 1 - ŷ + eps) - over(y, ŷ + eps)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class LogitBinaryCrossEntropy(AggregatedLoss):
    """agg((1 - y) ŷ - logσ(ŷ))"""

    name = "logitbinarycrossentropy"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return (1 - y) * ŷ + softplus(-ŷ)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return sigmoid(ŷ) - y


@LOSSES.add
@dataclass(frozen=True, slots=True)
class KLDivergence(AggregatedLoss):
    """agg(Σᵢ yᵢ log yᵢ - Σᵢ yᵢ log(ŷᵢ + ϵ)), over each row"""

    name = "kldivergence"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        return sum_of_rows(xlogy(y, y) - xlogy(y, ŷ + precision(self.eps, ŷ)))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -over(y, ŷ + precision(self.eps, ŷ))


@LOSSES.add
@dataclass(frozen=True, slots=True)
class FocalLoss(AggregatedLoss):
    """agg(-Σᵢ yᵢ (1 - pᵢ)^γ log pᵢ), p = ŷ + ϵ, over each row

    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", 2017.
    """

    name = "focal_loss"
    gamma: NonNegative = 2.0
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        p = ŷ + precision(self.eps, ŷ)
        return sum_of_rows(np.where(y == 0, 0, y * focal(p, self.gamma)))

    def slope(self, ŷ: Array, y: Array) -> Array:
        p = ŷ + precision(self.eps, ŷ)
        return np.where(y == 0, 0, y * focal_slope(p, self.gamma))


@LOSSES.add
@dataclass(frozen=True, slots=True)
class BinaryFocalLoss(AggregatedLoss):
    """agg(-(1 - p)^γ log p), p = y (ŷ + ϵ) + (1 - y) (1 - ŷ - ϵ)"""

    name = "binary_focal_loss"
    gamma: NonNegative = 2.0
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        return focal(self._chance(ŷ, y), self.gamma)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return (2 * y - 1) * focal_slope(self._chance(ŷ, y), self.gamma)

    def _chance(self, ŷ: Array, y: Array) -> Array:
        p = ŷ + precision(self.eps, ŷ)
        return y * p + (1 - y) * (1 - p)


def over(y: Array, x: Array) -> Array:
    """y / x, and 0 where y is 0."""
    return np.where(y == 0, 0, y / x)


def focal(p: Array, gamma: float) -> Array:
    """-(1 - p)^γ log p"""
    loss: Array = -((1 - p) ** gamma) * np.log(p)
    return loss


def focal_slope(p: Array, gamma: float) -> Array:
    """γ (1 - p)^(γ-1) log p - (1 - p)^γ / p"""
    slope = -((1 - p) ** gamma) / p
    if gamma > 0:
        slope += gamma * (1 - p) ** (gamma - 1) * np.log(p)
    return slope
