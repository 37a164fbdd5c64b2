"""Losses of probabilities, named as in Flux; none is negative, because p + ϵ is at most 1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, log_of_chance, log_ratio, precision, sum_of_rows
from service.learning.losses.loss import LOSSES, PROBABILITIES, AggregatedLoss
from service.learning.terms import NonNegative


@LOSSES.add
@dataclass(frozen=True, slots=True)
class CrossEntropy(AggregatedLoss):
    """agg(-Σᵢ yᵢ log(min(ŷᵢ + ϵ, 1))), over each row

    ŷ are probabilities, as behind softmax; logitcrossentropy of the inputs of softmax is more exact. `eps` None is the
    dtype's precision.
    """

    name = "crossentropy"
    targets = PROBABILITIES
    compares = True
    accepts = PROBABILITIES
    given_by = "softmax"
    link = "identity"
    twin = "logitcrossentropy"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        return -sum_of_rows(times(y, np.log(np.minimum(ŷ + precision(self.eps, ŷ), 1))))

    def slope(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        return -over(y, ŷ + eps, 1 - ŷ > eps)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class BinaryCrossEntropy(AggregatedLoss):
    """agg(-y log(min(ŷ + ϵ, 1)) - (1 - y) log(min(1 - ŷ + ϵ, 1)))

    ŷ are probabilities, as behind sigmoid; logitbinarycrossentropy of the inputs of sigmoid is more exact.
    """

    name = "binarycrossentropy"
    targets = PROBABILITIES
    accepts = PROBABILITIES
    given_by = "sigmoid"
    link = "identity"
    twin = "logitbinarycrossentropy"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        of_true, of_false = np.log(np.minimum(ŷ + eps, 1)), np.log1p(np.minimum(eps - ŷ, 0))
        return -times(y, of_true) - times(1 - y, of_false)

    def slope(self, ŷ: Array, y: Array) -> Array:
        eps, other = precision(self.eps, ŷ), 1 - ŷ
        return over(1 - y, other + eps, ŷ > eps) - over(y, ŷ + eps, other > eps)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class KLDivergence(AggregatedLoss):
    """agg(Σᵢ yᵢ log((yᵢ + ϵ) / (ŷᵢ + ϵ))), over each row

    Flux adds ϵ to ŷ alone, and so is below 0 where ŷ = y; the two differ by no more than ϵ for each class.
    """

    name = "kldivergence"
    targets = PROBABILITIES
    compares = True
    accepts = PROBABILITIES
    given_by = "softmax"
    twin = "logitcrossentropy"
    eps: NonNegative | None = None

    def terms(self, ŷ: Array, y: Array) -> Array:
        eps = precision(self.eps, ŷ)
        return sum_of_rows(times(y, log_ratio(y + eps, ŷ + eps, y - ŷ)))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return -over(y, ŷ + precision(self.eps, ŷ), True)


@LOSSES.add
@dataclass(frozen=True, slots=True)
class FocalLoss(AggregatedLoss):
    """agg(-Σᵢ yᵢ (1 - pᵢ)^γ log pᵢ), p = min(ŷ + ϵ, 1), over each row

    T.-Y. Lin et al., "Focal Loss for Dense Object Detection", 2017.
    """

    name = "focal_loss"
    targets = PROBABILITIES
    compares = True
    accepts = PROBABILITIES
    given_by = "softmax"
    link = "identity"
    gamma: NonNegative = 2.0
    eps: NonNegative | None = None

    def both(self, ŷ: Array, y: Array) -> tuple[Array, Array]:
        focal = Focal(ŷ, 1 - ŷ, self.gamma, precision(self.eps, ŷ))
        return sum_of_rows(times(y, focal.loss)), times(y, focal.slope())

    def terms(self, ŷ: Array, y: Array) -> Array:
        return sum_of_rows(times(y, Focal(ŷ, 1 - ŷ, self.gamma, precision(self.eps, ŷ)).loss))

    def slope(self, ŷ: Array, y: Array) -> Array:
        return self.both(ŷ, y)[1]


@LOSSES.add
@dataclass(frozen=True, slots=True)
class BinaryFocalLoss(AggregatedLoss):
    """agg(-(1 - p)^γ log p), p = min(y ŷ + (1 - y) (1 - ŷ) + ϵ, 1)

    Flux subtracts ϵ from 1 - ŷ, and has no value for ŷ = 1, y = 0.
    """

    name = "binary_focal_loss"
    targets = PROBABILITIES
    accepts = PROBABILITIES
    given_by = "sigmoid"
    link = "identity"
    gamma: NonNegative = 2.0
    eps: NonNegative | None = None

    def both(self, ŷ: Array, y: Array) -> tuple[Array, Array]:
        focal = self._focal(ŷ, y)
        return focal.loss, (2 * y - 1) * focal.slope()

    def terms(self, ŷ: Array, y: Array) -> Array:
        return self._focal(ŷ, y).loss

    def slope(self, ŷ: Array, y: Array) -> Array:
        return self.both(ŷ, y)[1]

    def _focal(self, ŷ: Array, y: Array) -> "Focal":
        other, false = 1 - ŷ, 1 - y
        return Focal(y * ŷ + false * other, y * other + false * ŷ, self.gamma, precision(self.eps, ŷ))


def times(y: Array, x: Array) -> Array:
    """y x, and 0 where y is 0, whatever x may be."""
    return np.where(y == 0, 0, y * x)


def over(y: Array, x: Array, counts: NDArray[np.bool_] | bool) -> Array:
    """y / x, and 0 where y is 0 or the other condition does not hold."""
    return np.where((y != 0) & counts, y / x, 0)


class Focal:
    """-m^γ log p with p = chance + ϵ, at most 1, and m = 1 - p; missed is 1 - chance."""

    def __init__(self, chance: Array, missed: Array, gamma: float, eps: float) -> None:
        self._p, self._m = np.minimum(chance + eps, 1), np.maximum(missed - eps, 0)
        self._log, self._power, self._gamma = log_of_chance(self._p, self._m), self._m**gamma, gamma
        self.loss: Array = -self._power * self._log

    def slope(self) -> Array:
        """Return the derivative with respect to the chance, m^γ (γ log(p)/m - 1/p), and 0 where p is cut."""
        with np.errstate(invalid="ignore"):
            return np.where(self._m > 0, self._power * (self._gamma * self._log / self._m - 1 / self._p), 0)
