"""Losses of overlap: Dice and Tversky."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Le

from service.learning.arrays import Array
from service.learning.losses.loss import LOSSES, PROBABILITIES, WholeLoss
from service.learning.losses.margins import SMALLEST
from service.learning.terms import NonNegative


@LOSSES.add
@dataclass(frozen=True, slots=True)
class DiceCoeffLoss(WholeLoss):
    """1 - (2 Σ y ŷ + smooth) / (Σ y² + Σ ŷ² + smooth)

    F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net", 2016. The sums are over all rows of a batch.
    """

    name = "dice_coeff_loss"
    targets = PROBABILITIES
    smooth: NonNegative = 1.0

    def value(self, ŷ: Array, y: Array) -> float:
        """Σ (ŷ - y)² / size: a difference from 1 would lose its digits."""
        ŷ, y, size, _ = self._parts(ŷ, y)
        off = ŷ - y
        return float(np.vdot(off, off)) / size

    def slope(self, ŷ: Array, y: Array) -> Array:
        return self.both(ŷ, y)[1]

    def both(self, ŷ: Array, y: Array) -> tuple[float, Array]:
        ŷ, y, size, unit = self._parts(ŷ, y)
        off = ŷ - y
        loss = float(np.vdot(off, off)) / size
        if loss < 0.5:
            return loss, (off - loss * ŷ) * (2 / size / unit)
        overlap = 2 * float(np.vdot(y, ŷ)) + self.smooth / unit / unit
        return loss, (overlap / size * ŷ - y) * (2 / size / unit)

    def _parts(self, ŷ: Array, y: Array) -> tuple[Array, Array, float, float]:
        """ŷ, y and the size in a unit whose squares are neither too large nor too small, mostly 1; and the unit."""
        size = self._size(ŷ, y, 1.0)
        if SMALLEST[ŷ.dtype.name] < size < math.inf:
            return ŷ, y, size, 1.0
        unit = float(max(abs(ŷ).max(), abs(y).max())) or 1.0
        ŷ, y = ŷ / unit, y / unit
        return ŷ, y, self._size(ŷ, y, unit) or 1.0, unit

    def _size(self, ŷ: Array, y: Array, unit: float) -> float:
        return float(np.vdot(y, y) + np.vdot(ŷ, ŷ)) + self.smooth / unit / unit


@LOSSES.add
@dataclass(frozen=True, slots=True)
class TverskyLoss(WholeLoss):
    """1 - (Σ y ŷ + 1) / (Σ (y ŷ + β (1 - y) ŷ + (1 - β) y (1 - ŷ)) + 1)

    S. S. M. Salehi, D. Erdogmus, A. Gholipour, 2017. β weighs false positives, as in Flux's code; the formula in its
    documentation has β and 1 - β the other way round. The sums are over all rows of a batch.
    """

    name = "tversky_loss"
    accepts = PROBABILITIES
    given_by = "sigmoid"
    targets = PROBABILITIES
    beta: Annotated[float, Ge(0), Le(1)] = 0.7

    def value(self, ŷ: Array, y: Array) -> float:
        """Return the weighed misses by the size: a difference from 1 would lose its digits."""
        return float(self._misses(ŷ, y) / self._size(ŷ, y))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return self.both(ŷ, y)[1]

    def both(self, ŷ: Array, y: Array) -> tuple[float, Array]:
        size = self._size(ŷ, y)
        loss = self._misses(ŷ, y) / size
        return float(loss), (self.beta - y - self.beta * loss) / size

    def _misses(self, ŷ: Array, y: Array) -> Any:
        return self.beta * np.vdot(1 - y, ŷ) + (1 - self.beta) * np.vdot(y, 1 - ŷ)

    def _size(self, ŷ: Array, y: Array) -> Any:
        return self.beta * ŷ.sum() + (1 - self.beta) * y.sum() + 1
