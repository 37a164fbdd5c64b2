"""Losses of real targets, named as in Flux; those of classes are in cross_entropies.py, of margins in margins.py."""

from dataclasses import dataclass

import numpy as np
from numpy import multiply, subtract

from service.learning.arrays import Array, precision, xlogy
from service.learning.cross_entropies import CrossEntropy, LogitCrossEntropy
from service.learning.loss import LOSSES, AggregatedLoss, Evaluate, Loss
from service.learning.margins import HingeLoss
from service.learning.vocabulary import NonNegative, Positive

__all__ = [
    "LOSSES",
    "MAE",
    "MSE",
    "MSLE",
    "CrossEntropy",
    "HingeLoss",
    "HuberLoss",
    "LogitCrossEntropy",
    "Loss",
    "PoissonLoss",
]


@LOSSES.add
@dataclass(frozen=True, slots=True)
class MSE(AggregatedLoss):
    """agg((ŷ - y)²)"""

    name = "mse"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.square(ŷ - y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return 2 * (ŷ - y)

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        if weights is not None:
            return AggregatedLoss.bind(self, ŷ, y, gradient, weights)
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
class MAE(AggregatedLoss):
    """agg(|ŷ - y|)"""

    name = "mae"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return abs(ŷ - y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        sign: Array = np.sign(ŷ - y)
        return sign


@LOSSES.add
@dataclass(frozen=True, slots=True)
class MSLE(AggregatedLoss):
    """agg((log(ŷ + ϵ) - log(y + ϵ))²)

    `eps` None is the dtype's precision.
    """

    name = "msle"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        return self._difference(ŷ, y) ** 2

    def slope(self, ŷ: Array, y: Array) -> Array:
        return 2 * self._difference(ŷ, y) / (ŷ + precision(self.eps, ŷ))

    def _difference(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        difference: Array = np.log((ŷ + eps) / (y + eps))
        return difference


@LOSSES.add
@dataclass(frozen=True, slots=True)
class HuberLoss(AggregatedLoss):
    """agg(e²/2 for |e| < δ, else δ (|e| - δ/2)), e = ŷ - y"""

    name = "huber_loss"
    delta: Positive = 1.0

    def terms(self, ŷ: Array, y: Array) -> Array:
        size = abs(ŷ - y)
        return np.where(size < self.delta, 0.5 * size * size, self.delta * (size - 0.5 * self.delta))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return np.clip(ŷ - y, -self.delta, self.delta)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class PoissonLoss(AggregatedLoss):
    """agg(ŷ - y log ŷ)

    Flux's documentation divides the sum by the columns; its code, and this one, aggregates.
    """

    name = "poisson_loss"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return ŷ - xlogy(y, ŷ)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return 1 - y / ŷ
