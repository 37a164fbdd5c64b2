"""The loss of a linear layer and its gradient free of rounding: sums over the rows in Python's integers.

Numbers are integers over one denominator for all, which are several times faster to add than fractions.
"""

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from operator import mul

import numpy as np
from numpy.typing import NDArray

from tests.support.learning.linear_problems import Array, LinearProblem

DIGITS = 53


class ExactSums:
    """Σ zzᵀ over the rows, z = [inputs, 1, targets]: `matrix` over `denominator`."""

    def __init__(self, problem: LinearProblem) -> None:
        self.inputs, self.outputs = problem.inputs.shape[1], problem.outputs
        self.elements = problem.targets.size
        columns = [*problem.inputs.T, np.ones(len(problem.inputs)), *problem.targets.T]
        integers, units = zip(*map(_integers, columns), strict=True)
        sums = [[Fraction(0)] * len(columns) for _ in columns]
        for i, j in combinations_with_replacement(range(len(columns)), 2):
            sums[i][j] = sums[j][i] = sum(map(mul, integers[i], integers[j])) * units[i] * units[j]
        self.denominator = _denominator(itertools.chain(*sums))
        self.matrix = [_over(self.denominator, row) for row in sums]

    def least_squares(self, *, bias: bool) -> NDArray[np.float64]:
        """The parameters of the least loss of a single output: exact, and then rounded once."""
        n = self.inputs + bias
        rows = [list(map(Fraction, [*row[:n], row[self.inputs + 1]])) for row in self.matrix[:n]]
        for i in range(n):  # Gauss and Jordan; a matrix of squares and products needs no pivots
            rows[i] = [value / rows[i][i] for value in rows[i]]
            for j in range(n):
                if j != i:
                    rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
        return np.array([float(row[n]) for row in rows])


class ExactLoss:
    """mean((W x + b − y)²) over all elements, of any parameters: θ as `QuadraticLoss` takes it.

    `standardised` is (mean, deviation) where parameters are to act on (x − mean) / deviation.
    """

    def __init__(self, sums: ExactSums, *, bias: bool = True, standardised: tuple[Array, Array] | None = None) -> None:
        self._sums, self._bias, self._inputs = sums, bias, sums.inputs
        mean, deviation = standardised or (np.zeros(self._inputs), np.ones(self._inputs))
        self._mean, self._deviation = _fractions(mean), _fractions(deviation)

    def loss(self, theta: Array) -> float:
        """The loss, rounded once."""
        raws, unit = self._raw(theta)
        total = 0
        for output, raw in enumerate(raws):
            target = self._inputs + 1 + output
            cross = self._sums.matrix[target]
            total += sum(map(mul, raw, self._errors(output, raw, unit)))
            total += unit * (unit * cross[target] - sum(map(mul, raw, cross)))
        return total / (unit**2 * self._sums.denominator * self._sums.elements)

    def gradient(self, theta: Array) -> NDArray[np.float64]:
        """The gradient in the order of θ, each number rounded once."""
        raws, unit = self._raw(theta)
        weights: list[Fraction] = []
        levels: list[Fraction] = []
        for output, raw in enumerate(raws):
            errors = self._errors(output, raw, unit)
            *slopes, level = [Fraction(error, unit * self._sums.denominator) for error in errors]
            shifted = zip(slopes, self._mean, self._deviation, strict=True)
            weights += [(slope - mean * level) / deviation for slope, mean, deviation in shifted]
            levels.append(level)
        parts = weights + levels if self._bias else weights
        return np.array([float(2 * part / self._sums.elements) for part in parts])

    def _raw(self, theta: Array) -> tuple[list[list[int]], int]:
        """Weights and bias of each output, for raw inputs, and the denominator of them all."""
        outputs, numbers = self._sums.outputs, _fractions(theta)
        rows = []
        for output in range(outputs):
            scaled = numbers[output * self._inputs : (output + 1) * self._inputs]
            weights = [weight / deviation for weight, deviation in zip(scaled, self._deviation, strict=True)]
            level = numbers[self._inputs * outputs + output] if self._bias else Fraction(0)
            rows.append([*weights, level - sum(map(mul, weights, self._mean))])
        unit = _denominator(itertools.chain(*rows))
        return [_over(unit, row) for row in rows], unit

    def _errors(self, output: int, raw: Sequence[int], unit: int) -> list[int]:
        """Σ error · [inputs, 1] over the rows, of weights over `unit`."""
        n = self._inputs + 1
        return [sum(map(mul, raw, row)) - unit * row[n + output] for row in self._sums.matrix[:n]]


def _integers(values: Array) -> tuple[list[int], Fraction]:
    """Floating-point numbers as multiples of one unit."""
    mantissas, exponents = np.frexp(values.astype(np.float64))
    least = int(exponents.min())
    whole = (mantissas * 2.0**DIGITS).astype(np.int64).tolist()
    shifts = (exponents - least).tolist()
    return [number << shift for number, shift in zip(whole, shifts, strict=True)], Fraction(2) ** (least - DIGITS)


def _denominator(numbers: Iterable[Fraction]) -> int:
    return math.lcm(*(number.denominator for number in numbers))


def _over(denominator: int, numbers: Iterable[Fraction]) -> list[int]:
    """The numerators over a denominator that all of them have in common."""
    return [number.numerator * (denominator // number.denominator) for number in numbers]


def _fractions(values: Array) -> list[Fraction]:
    return [Fraction(value) for value in values.tolist()]
