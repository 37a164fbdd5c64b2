"""What a loss is: terms that `agg` adds up or averages, and their slope by the prediction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from service.learning.arrays import Array
from service.learning.vocabulary import Registry, Term

Evaluate = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Loss(Term):
    """A loss of predictions ŷ against targets y, both rows × outputs.

    A new one defines `terms` and `slope`. Weights (rows × 1) multiply the terms of their row; a mean is then
    Σ w l / Σ w, a sum Σ w l.
    """

    separable: ClassVar[bool] = True

    agg: Literal["mean", "sum"] = "mean"

    def terms(self, ŷ: Array, y: Array) -> Array:
        """What `agg` takes together: one number per element (rows × outputs), or per row (rows × 1)."""
        raise NotImplementedError

    def slope(self, ŷ: Array, y: Array) -> Array:
        """∂ Σ terms / ∂ŷ, rows × outputs."""
        raise NotImplementedError

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        """For fixed buffers: what gives the loss of a batch and writes its gradient by ŷ.

        Weights (rows × 1) have mean 1 over all rows where `agg` is mean.
        """
        rows = len(ŷ)

        def evaluate() -> float:
            terms, slope = self.terms(ŷ, y), self.slope(ŷ, y)
            if weights is not None:
                terms, slope = terms * weights, slope * weights
            scale = 1.0 if self.agg == "sum" else 1 / (rows * terms.shape[1])
            np.multiply(slope, scale, out=gradient)
            return float(terms.sum()) * scale

        return evaluate

    def total(self) -> "Total":
        """Takes the loss of many blocks of rows together."""
        return Total(self)


class Total:
    """The loss over blocks of rows, summed in float64."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._sum = 0.0
        self._weight = 0.0

    def add(self, ŷ: Array, y: Array, weights: Array | None = None) -> None:
        """Add rows (rows × outputs), with weights rows × 1."""
        terms = self._loss.terms(ŷ, y)
        if weights is None:
            self._sum += float(terms.sum(dtype=np.float64))
            self._weight += terms.size
        else:
            self._sum += float((terms * weights).sum(dtype=np.float64))
            self._weight += float(weights.sum(dtype=np.float64)) * terms.shape[1]

    @property
    def value(self) -> float:
        return self._sum if self._loss.agg == "sum" else self._sum / self._weight


LOSSES: Registry[Loss] = Registry("descent.losses")
