"""Cross-entropies of logits, named as in Flux."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy import add, copyto, divide, exp, log, log1p, maximum, multiply, subtract

from service.learning.arrays import ALONE, Array, exponentials, largest_of_rows, sum_of_rows
from service.learning.losses.loss import LOSSES, PROBABILITIES, AggregatedLoss, Evaluate, column_roots


@LOSSES.add
@dataclass(frozen=True, slots=True)
class LogitCrossEntropy(AggregatedLoss):
    """agg(-Σᵢ yᵢ logsoftmax(ŷ)ᵢ), over each row"""

    name = "logitcrossentropy"
    targets = PROBABILITIES
    compares = True
    link = "softmax"
    twin = "crossentropy"

    def terms(self, ŷ: Array, y: Array) -> Array:
        z, _, rest = exponentials(ŷ)
        logarithm = log1p(rest)
        terms = (y * (logarithm - z)) @ np.ones((ŷ.shape[1], 1), ŷ.dtype)
        if np.isfinite(terms).all():
            return terms
        half = 0.5 * largest_of_rows(ŷ) - 0.5 * ŷ  # z may be infinite where y z is not
        return sum_of_rows(np.where(y == 0, 0, y * logarithm + 2 * y * half))

    def slope(self, ŷ: Array, y: Array) -> Array:
        _, e, rest = exponentials(ŷ)
        return (e * sum_of_rows(y) - y - y * rest) / (1 + rest)

    def roots(self, ŷ: Array, y: Array) -> Iterator[tuple[Array, Array | None]]:
        """√pₖ (eₖ - p) for each class k: their squares add up to diag(p) - ppᵀ."""
        _, e, rest = exponentials(ŷ)
        p = e / (1 + rest)
        size = np.sqrt(p * sum_of_rows(y))
        for k in range(p.shape[1]):
            root = -size[:, k : k + 1] * p
            root[:, k] += size[:, k]
            yield root, None

    def bind(self, ŷ: Array, y: Array, gradient: Array, weights: Array | None) -> Evaluate:
        """Return the shortest form where the loss cannot be small, `_exactly` where it may be."""
        with_all_digits = AggregatedLoss.bind(self, ŷ, y, gradient, weights)
        if weights is not None:
            return with_all_digits
        rows, outputs = ŷ.shape
        scale = 1.0 if self.agg == "sum" else 1 / rows
        ones = np.ones(outputs, ŷ.dtype)
        columns = np.empty((outputs, rows), ŷ.dtype)
        largest, sums, mass, share = (np.empty(rows, ŷ.dtype) for _ in range(4))
        by_row, largest_column, share_column = columns.T, largest.reshape(-1, 1), share.reshape(-1, 1)
        z, flat_z, flat_y = gradient, gradient.ravel(), y.ravel()
        exactly = _exactly(columns, z, y, scale)

        def evaluate() -> float:
            copyto(by_row, ŷ)  # of columns as rows the largest are found several times faster
            maximum.reduce(columns, axis=0, out=largest)
            subtract(ŷ, largest_column, z)
            matched = float(flat_z.dot(flat_y))  # the loss is no less than -matched
            if not isfinite(matched):
                return with_all_digits()
            if -matched < ALONE * rows:
                return exactly(matched)
            exp(z, z)
            z.dot(ones, sums)
            y.dot(ones, mass)
            divide(mass, sums, share)
            log(sums, sums)
            loss = (float(mass.dot(sums)) - matched) * scale
            multiply(z, share_column, z)
            subtract(z, y, z)
            multiply(z, scale, z)
            return loss

        return evaluate


def _exactly(columns: Array, z: Array, y: Array, scale: float) -> Callable[[float], float]:
    """Return a call on fixed buffers that returns the loss and writes its gradient over z, the logits less the largest.

    `columns` are the logits, outputs × rows. The exponential of the largest is 1, and left out of all sums.
    """
    outputs, rows = columns.shape
    ones = np.ones(outputs, z.dtype)
    rest, total, mass, share = (np.empty(rows, z.dtype) for _ in range(4))
    share_column = share.reshape(-1, 1)
    flat_z, flat_y = z.ravel(), y.ravel()
    top, before = np.empty(rows, np.intp), np.arange(0, rows * outputs, outputs)

    def exactly(matched: float) -> float:
        columns.argmax(axis=0, out=top)
        add(top, before, top)
        exp(z, z)
        flat_z[top] = 0
        z.dot(ones, rest)
        y.dot(ones, mass)
        add(rest, 1, total)
        divide(mass, total, share)
        log1p(rest, total)
        loss = (float(mass.dot(total)) - matched) * scale
        multiply(z, share_column, z)
        subtract(z, y, z)
        multiply(share, rest, rest)
        subtract(mass, flat_y[top], mass)
        subtract(mass, rest, mass)
        flat_z[top] = mass
        multiply(z, scale, z)
        return loss

    return exactly


@LOSSES.add
@dataclass(frozen=True, slots=True)
class LogitBinaryCrossEntropy(AggregatedLoss):
    """agg((1 - y) ŷ - logσ(ŷ))"""

    name = "logitbinarycrossentropy"
    targets = PROBABILITIES
    link = "sigmoid"
    twin = "binarycrossentropy"

    def both(self, ŷ: Array, y: Array) -> tuple[Array, Array]:
        e, off = self._parts(ŷ, y)
        return ŷ * off + log1p(e), off - np.copysign(e / (1 + e), ŷ)

    def terms(self, ŷ: Array, y: Array) -> Array:
        e, off = self._parts(ŷ, y)
        return ŷ * off + log1p(e)

    def slope(self, ŷ: Array, y: Array) -> Array:
        return self.both(ŷ, y)[1]

    def roots(self, ŷ: Array, y: Array) -> Iterator[tuple[Array, Array | None]]:
        e = exp(-abs(ŷ))
        return column_roots(np.sqrt(e) / (1 + e))

    def _parts(self, ŷ: Array, y: Array) -> tuple[Array, Array]:
        """exp(-|ŷ|), and s - y with s = 1 for ŷ ≥ 0, else 0: the sigmoid rounded to s, less y."""
        return exp(-abs(ŷ)), subtract(~np.signbit(ŷ), y, dtype=ŷ.dtype)
