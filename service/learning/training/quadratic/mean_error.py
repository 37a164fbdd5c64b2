"""The error of a linear layer at the mean row, exact although the terms that it is the sum of may be far larger."""

from __future__ import annotations

from math import fsum

import numpy as np

from service.learning.arrays import Array, Matrix

SPLITTER = 2.0**27 + 1
MANY_TERMS = 1000  # Python's fsum takes longer over so long a sum than NumPy over pairs
FEW_TERMS = 64


class MeanError:
    """c = w · centre + b − level, for each output rounded once; with very many inputs, as if it had twice the digits.

    The sum of the rows of `centre` (parts × inputs) is the mean row, exactly; level (outputs). The buffers make an
    instance good for one thread.
    """

    def __init__(self, centre: Matrix, level: Matrix) -> None:
        high = high_half(centre[0])
        self._centre = np.vstack([high, centre[0] - high, *centre[1:]])
        self._level = level.tolist()
        self._halves = np.empty((len(level), 2, 1, centre.shape[1]))
        self._products = np.empty((len(level), 2, *self._centre.shape))

    def at(self, weights: Matrix, bias: Array | None) -> list[float]:
        """c for weights (outputs × inputs, float64) and bias (outputs; None is zero); nan where float64 has no such."""
        terms = self._terms(weights)
        if bias is None:
            return [_sum(row) for row in terms]
        return [_sum([*row, b]) for row, b in zip(terms, bias.tolist(), strict=True)]

    def balanced(self, weights: Matrix) -> tuple[Matrix, Matrix]:
        """Return the bias for which c is as good as zero, and c for it."""
        terms = self._terms(weights)
        bias = [-_sum(row) for row in terms]
        return np.array(bias), np.array([_sum([*row, b]) for row, b in zip(terms, bias, strict=True)])

    def _terms(self, weights: Matrix) -> list[list[float]]:
        """Return the terms of each output's c, without the bias."""
        high, low = self._halves[:, 0, 0], self._halves[:, 1, 0]
        np.multiply(weights, SPLITTER, out=low)
        np.subtract(low, weights, out=high)
        np.subtract(low, high, out=high)
        np.subtract(weights, high, out=low)
        np.multiply(self._halves, self._centre, out=self._products)  # 26 bits times 26: nothing is rounded
        terms = self._products.reshape(len(self._level), -1)
        if terms.shape[1] > MANY_TERMS:
            terms = fewer_terms(terms)
        return [[*row, -level] for row, level in zip(terms.tolist(), self._level, strict=True)]


def high_half(values: Matrix) -> Matrix:
    """Return the upper 26 bits of each value, rounded, so that the rest has 26 as well (Veltkamp)."""
    scaled = SPLITTER * values
    high: Matrix = scaled - (scaled - values)
    return high


def exact_product(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """a · b, and what rounding cut off (Dekker)."""
    product, high, other_high = a * b, high_half(a), high_half(b)
    low, other_low = a - high, b - other_high
    return product, low * other_low - (((product - high * other_high) - low * other_high) - high * other_low)


def exact_difference(a: Matrix, b: Matrix) -> tuple[Matrix, Matrix]:
    """a − b, and what rounding cut off (Knuth)."""
    difference = a - b
    part = difference - a
    return difference, (a - (difference - part)) - (b + part)


def fewer_terms(terms: Matrix) -> Matrix:
    """Some dozen terms a row, with the same sum to twice the digits of float64: pairs, and what rounding cut off."""
    rests = []
    while terms.shape[1] > FEW_TERMS:
        middle = terms.shape[1] // 2
        total, rest = exact_difference(terms[:, :middle], -terms[:, middle : 2 * middle])
        rests += [rest.sum(axis=1, keepdims=True), terms[:, 2 * middle :]]
        terms = total
    return np.hstack([terms, *rests])


def _sum(terms: list[float]) -> float:
    try:
        return fsum(terms)
    except (OverflowError, ValueError):  # infinities among them, of one sign or of both
        return np.nan
