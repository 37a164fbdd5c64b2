"""Tables whose columns have scales that floating-point numbers can hardly hold side by side."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.support.learning.linear_problems import LinearProblem

Array = NDArray[np.float64]
ROWS = 200


def table(inputs: Array, targets: Array) -> LinearProblem:
    return LinearProblem(inputs, targets[:, None], np.zeros((1, inputs.shape[1])), np.zeros(1))


def money_and_rates(random: np.random.Generator) -> LinearProblem:
    """Sums of some 10¹² beside rates of 10⁻⁴, which alone tell the target."""
    revenue, rate = random.uniform(1e12, 9e12, ROWS), 1e-4 * random.normal(size=ROWS)
    return table(np.stack([revenue, rate], axis=1), 1e4 * rate + 0.05 * random.normal(size=ROWS))


def any_scales(random: np.random.Generator) -> LinearProblem:
    """One to five columns of scales from 1e-30 to 1e15, half of them far from zero."""
    columns = int(random.integers(1, 6))
    scale = 10.0 ** random.uniform(-30, 15, columns)
    offset = np.where(random.random(columns) < 0.5, 0, 10.0 ** random.uniform(-3, 6, columns))
    inputs = (random.normal(size=(ROWS, columns)) + offset) * scale
    weights = random.normal(size=columns) / scale * 10.0 ** random.uniform(-3, 3, columns)
    return table(inputs, inputs @ weights + 10.0 ** random.uniform(-6, 0) * random.normal(size=ROWS))


def timestamps(unit: float) -> Callable[[np.random.Generator], LinearProblem]:
    """A second to three years of timestamps, `unit` of them a second, beside a column of scale 1."""

    def problem(random: np.random.Generator) -> LinearProblem:
        seconds = np.sort(random.uniform(0, 10.0 ** random.uniform(0, 8), ROWS))
        other = random.normal(size=ROWS)
        targets = 3 * seconds / seconds[-1] + other + 0.1 * random.normal(size=ROWS)
        return table(np.stack([(1.7e9 + seconds) * unit, other], axis=1), targets)

    return problem


def polynomials(random: np.random.Generator) -> LinearProblem:
    """The powers 1 to 10 of a variable: condition numbers from 10⁶ to beyond 10¹⁶."""
    start = random.uniform(-2, 2)
    x = random.uniform(start, start + 10.0 ** random.uniform(-1, 1), ROWS)
    return table(x[:, None] ** np.arange(1, 11), np.sin(x) + 0.1 * random.normal(size=ROWS))


def chebyshev(random: np.random.Generator) -> LinearProblem:
    """The same powers, of a target that takes huge weights of opposite signs."""
    x = random.uniform(-1, 1, ROWS)
    powers = (random.uniform(1, 2) + 10.0 ** random.uniform(-2, 0) * x)[:, None] ** np.arange(1, 11)
    return table(powers, np.cos(10 * np.arccos(x)) + 10.0 ** random.uniform(-8, -1) * random.normal(size=ROWS))


TABLES: dict[str, Callable[[np.random.Generator], LinearProblem]] = {
    "money and rates": money_and_rates,
    "any scales": any_scales,
    "timestamps in seconds": timestamps(1),
    "timestamps in nanoseconds": timestamps(1e9),
    "polynomials of degree 10": polynomials,
    "Chebyshev polynomials in powers": chebyshev,
}
