"""Losses of margins, named as in Flux."""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array
from service.learning.losses.loss import LOSSES, PROBABILITIES, SIGNS, AggregatedLoss
from service.learning.terms import Positive


@LOSSES.add
@dataclass(frozen=True, slots=True)
class HingeLoss(AggregatedLoss):
    """agg(max(0, 1 - ŷ y)), y = ±1"""

    name = "hinge_loss"
    jumps = True
    targets = SIGNS

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.maximum(0, 1 - ŷ * y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -y * (ŷ * y < 1)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class SquaredHingeLoss(AggregatedLoss):
    """agg(max(0, 1 - ŷ y)²), y = ±1"""

    name = "squared_hinge_loss"
    targets = SIGNS

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.maximum(0, 1 - ŷ * y) ** 2

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -2 * (y * np.maximum(0, 1 - ŷ * y))


@LOSSES.add
@dataclass(frozen=True, slots=True)
class SiameseContrastiveLoss(AggregatedLoss):
    """agg((1 - y) ŷ² + y max(0, margin - ŷ)²), y = 0 or 1

    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006.
    """

    name = "siamese_contrastive_loss"
    targets = PROBABILITIES
    distances = True
    margin: Positive = 1.0

    def terms(self, ŷ: Array, y: Array) -> Array:
        lacking: Array = np.maximum(0, self.margin - ŷ)
        return (1 - y) * ŷ * ŷ + y * lacking * lacking  # in this order: a square may be infinite

    def slope(self, ŷ: Array, y: Array) -> Array:
        lacking: Array = np.maximum(0, self.margin - ŷ)
        return 2 * (1 - y) * ŷ - 2 * y * lacking


SMALLEST = {name: float(np.finfo(name).tiny / np.finfo(name).eps) for name in ("float32", "float64")}
"""The smallest sums of squares that have all their digits, by dtype."""
