from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.training.quadratic.mean_error import MeanError, exact_difference, exact_product, fewer_terms

Array = NDArray[np.float64]


def spread(random: np.random.Generator, *shape: int) -> Array:
    """Numbers of all sizes between 1e-15 and 1e15, and of both signs."""
    values: Array = random.normal(size=shape) * 10.0 ** random.uniform(-15, 15, shape)
    return values


def exact(weights: Array, centre: Array, bias: Array, level: Array) -> list[float]:
    rows = [[Fraction(w) for w in row] for row in weights.tolist()]
    parts = [[Fraction(value) for value in part] for part in centre.tolist()]
    return [
        float(sum(w * sum(x) for w, x in zip(row, zip(*parts, strict=True), strict=True)) + Fraction(b) - Fraction(y))
        for row, b, y in zip(rows, bias.tolist(), level.tolist(), strict=True)
    ]


@pytest.mark.parametrize("columns", [1, 5, 250])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_small_difference_of_large_products_is_rounded_once(columns: int, outputs: int) -> None:
    random = np.random.default_rng(columns)
    for _ in range(5):
        weights, centre = spread(random, outputs, columns), spread(random, 1, columns)
        bias = spread(random, outputs)
        level = np.array(exact(weights, centre, bias, np.zeros(outputs)))  # so that almost all of it cancels
        expected = exact(weights, centre, bias, level)
        assert max(map(abs, expected)) < 1e-15 * np.abs(level).max()
        assert MeanError(centre, level).at(weights, bias) == expected


@pytest.mark.parametrize("columns", [251, 1201])
def test_of_very_many_products_it_has_twice_the_digits_of_a_double(columns: int) -> None:
    random = np.random.default_rng(columns)
    weights, centre, level = spread(random, 2, columns), spread(random, 1, columns), spread(random, 2)
    balanced, rest = MeanError(centre, level).balanced(weights)
    sizes = np.abs(weights) @ np.abs(centre[0])
    np.testing.assert_array_less(np.abs(rest - exact(weights, centre, balanced, level)), 1e-29 * sizes)


def test_a_centre_of_two_parts_counts_in_full() -> None:
    random = np.random.default_rng(0)
    weights, centre = spread(random, 2, 7), spread(random, 1, 7)
    centre = np.vstack([centre, 1e-17 * centre])
    bias, level = spread(random, 2), spread(random, 2)
    assert MeanError(centre, level).at(weights, bias) == exact(weights, centre, bias, level)


def test_without_a_bias_it_is_zero() -> None:
    random = np.random.default_rng(1)
    weights, centre, level = spread(random, 2, 7), spread(random, 1, 7), spread(random, 2)
    assert MeanError(centre, level).at(weights, None) == exact(weights, centre, np.zeros(2), level)


def test_the_balancing_bias_leaves_only_what_a_double_cannot_say() -> None:
    random = np.random.default_rng(2)
    weights, centre, level = spread(random, 2, 7), spread(random, 1, 7), spread(random, 2)
    bias, rest = MeanError(centre, level).balanced(weights)
    assert rest.tolist() == exact(weights, centre, bias, level)
    assert np.all(np.abs(rest) <= np.spacing(np.abs(bias)) / 2)


@pytest.mark.parametrize("weight", [np.inf, -np.inf, np.nan, 1e308])
def test_terms_beyond_float64_give_nan_and_no_error(weight: float) -> None:
    with np.errstate(all="ignore"):
        (error,) = MeanError(np.array([[1e6, -1e6]]), np.zeros(1)).at(np.array([[weight, weight]]), np.zeros(1))
    assert not np.isfinite(error)


def test_a_product_and_a_difference_with_their_rests_are_exact() -> None:
    random = np.random.default_rng(3)
    a, b = spread(random, 200), spread(random, 200)
    for operation, (result, rest) in (
        (Fraction.__mul__, exact_product(a, b)),
        (Fraction.__sub__, exact_difference(a, b)),
    ):
        for x, y, high, low in zip(a.tolist(), b.tolist(), result.tolist(), rest.tolist(), strict=True):
            assert operation(Fraction(x), Fraction(y)) == Fraction(high) + Fraction(low)


def test_fewer_terms_have_the_sum_of_many() -> None:
    terms = spread(np.random.default_rng(4), 3, 4321)
    few = fewer_terms(terms)
    assert few.shape[1] < 100
    for row, short in zip(terms.tolist(), few.tolist(), strict=True):
        error = sum(map(Fraction, row)) - sum(map(Fraction, short))
        assert abs(error) <= 1e-30 * sum(map(abs, row))
