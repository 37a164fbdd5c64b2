"""Losses of margins and of overlaps, named as in Flux."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from service.learning.arrays import Array
from service.learning.loss import LOSSES, AggregatedLoss, WholeLoss
from service.learning.vocabulary import NonNegative, Positive


@LOSSES.add
@dataclass(frozen=True, slots=True)
class HingeLoss(AggregatedLoss):
    """agg(max(0, 1 - ŷ y)), y = ±1"""

    name = "hinge_loss"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.maximum(0, 1 - ŷ * y)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -y * (ŷ * y < 1)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class SquaredHingeLoss(AggregatedLoss):
    """agg(max(0, 1 - ŷ y)²), y = ±1"""

    name = "squared_hinge_loss"

    def terms(self, ŷ: Array, y: Array) -> Array:
        return np.maximum(0, 1 - ŷ * y) ** 2

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -2 * y * np.maximum(0, 1 - ŷ * y)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class SiameseContrastiveLoss(AggregatedLoss):
    """agg((1 - y) ŷ² + y max(0, margin - ŷ)²), y = 0 or 1

    R. Hadsell, S. Chopra, Y. LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006.
    """

    name = "siamese_contrastive_loss"
    margin: Positive = 1.0

    def terms(self, ŷ: Array, y: Array) -> Array:
        lacking: Array = np.maximum(0, self.margin - ŷ)
        return (1 - y) * ŷ**2 + y * lacking**2

    def slope(self, ŷ: Array, y: Array) -> Array:
        lacking: Array = np.maximum(0, self.margin - ŷ)
        return 2 * (1 - y) * ŷ - 2 * y * lacking


@LOSSES.add
@dataclass(frozen=True, slots=True)
class DiceCoeffLoss(WholeLoss):
    """1 - (2 Σ y ŷ + smooth) / (Σ y² + Σ ŷ² + smooth)

    F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net", 2016. The sums are over all rows of a batch.
    """

    name = "dice_coeff_loss"
    smooth: NonNegative = 1.0

    def value(self, ŷ: Array, y: Array) -> float:
        overlap, size = self._sums(ŷ, y)
        return 1 - overlap / size

    def slope(self, ŷ: Array, y: Array) -> Array:
        overlap, size = self._sums(ŷ, y)
        return 2 * (overlap / size * ŷ - y) / size

    def _sums(self, ŷ: Array, y: Array) -> tuple[float, float]:
        overlap = 2 * float(np.vdot(y, ŷ)) + self.smooth
        return overlap, float(np.vdot(y, y) + np.vdot(ŷ, ŷ)) + self.smooth


@LOSSES.add
@dataclass(frozen=True, slots=True)
class TverskyLoss(WholeLoss):
    """1 - (Σ y ŷ + 1) / (Σ (y ŷ + β (1 - y) ŷ + (1 - β) y (1 - ŷ)) + 1)

    S. S. M. Salehi, D. Erdogmus, A. Gholipour, 2017. β weighs false positives, as in Flux's code; the formula in its
    documentation has β and 1 - β the other way round. The sums are over all rows of a batch.
    """

    name = "tversky_loss"
    beta: Annotated[float, Ge(0), Le(1)] = 0.7

    def value(self, ŷ: Array, y: Array) -> float:
        overlap, size = self._sums(ŷ, y)
        return 1 - overlap / size

    def slope(self, ŷ: Array, y: Array) -> Array:
        overlap, size = self._sums(ŷ, y)
        return (self.beta * overlap / size - y) / size

    def _sums(self, ŷ: Array, y: Array) -> tuple[float, float]:
        overlap = float(np.vdot(y, ŷ)) + 1
        return overlap, self.beta * float(ŷ.sum()) + (1 - self.beta) * float(y.sum()) + 1
