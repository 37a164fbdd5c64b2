"""Losses of real targets, named as in Flux."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import multiply, subtract

from service.learning.arrays import Array, log_ratio, precision
from service.learning.losses.classification import times
from service.learning.losses.loss import LOSSES, NOT_NEGATIVE, POSITIVE, AggregatedLoss, Domain, Evaluate, column_roots
from service.learning.terms import NonNegative, Positive

ROOT = 2**0.5


@LOSSES.add
@dataclass(frozen=True, slots=True)
class MSE(AggregatedLoss):
    """agg((ŷ - y)²)"""

    name = "mse"
    quadratic = 1.0
    unit_power = 2

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.square(ŷ - y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return 2 * (ŷ - y)

    def roots(self, ŷ: Array, y: Array) -> Iterator[tuple[Array, Array | None]]:
        root = np.full_like(ŷ, ROOT)
        return column_roots(root, ROOT * (ŷ - y))

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
    unit_power = 1
    jumps = True

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
    targets = NOT_NEGATIVE
    accepts = NOT_NEGATIVE
    given_by = "softplus"
    eps: NonNegative | None = None

    @property
    def domain(self) -> Domain:
        """Numbers that have a logarithm once ϵ is added; those from 0 where it is small."""
        least = -(self.eps or 0.0)
        if not least:
            return NOT_NEGATIVE
        return Domain(f"numbers above {least:g}", lambda y: y > least, "at it and below the loss is not finite", least)

    def both(self, ŷ: Array, y: Array) -> tuple[Array, Array]:
        eps = precision(self.eps, ŷ)
        difference = log_ratio(ŷ + eps, y + eps, ŷ - y)
        return difference * difference, 2 * difference / (ŷ + eps)

    def terms(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        return np.square(log_ratio(ŷ + eps, y + eps, ŷ - y))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return self.both(ŷ, y)[1]

    def roots(self, ŷ: Array, y: Array) -> Iterator[tuple[Array, Array | None]]:
        shifted = ŷ + precision(self.eps, ŷ)
        difference = log_ratio(shifted, y + precision(self.eps, ŷ), ŷ - y)
        return column_roots(ROOT / shifted, ROOT * difference)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class HuberLoss(AggregatedLoss):
    """agg(e²/2 for |e| < δ, else δ (|e| - δ/2)), e = ŷ - y"""

    name = "huber_loss"
    unit_power = 2
    delta: Positive = 1.0

    def terms(self, ŷ: Array, y: Array) -> Array:
        if self.delta < 1:  # the difference may be infinite where δ times it is not
            half = abs(0.5 * ŷ - 0.5 * y)
            reach: Array = np.minimum(2 * half, self.delta)
            return 2 * reach * (half - 0.25 * reach)
        size = abs(ŷ - y)
        reach = np.minimum(size, self.delta)
        return reach * (size - 0.5 * reach)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return np.clip(ŷ - y, -self.delta, self.delta)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class PoissonLoss(AggregatedLoss):
    """agg(ŷ - y log ŷ)

    Flux's documentation divides the sum by the columns; its code, and this one, aggregates.
    """

    name = "poisson_loss"
    targets = NOT_NEGATIVE
    accepts = POSITIVE
    given_by = "softplus"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return ŷ - times(y, np.log(ŷ))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return np.where(y == 0, 1, (ŷ - y) / ŷ)
