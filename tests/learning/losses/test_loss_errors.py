"""Losses and gradients of the quadratic form against exact ones, over many seeds."""

import numpy as np
import pytest

from tests.support.learning.linear_problems import ILL_CONDITIONED, PROBLEMS, LinearProblem
from tests.support.learning.loss_errors import worst_error, worst_gradient_error

PROMISED = 1e-8
EPSILON = np.finfo(np.float64).eps


def seeds(name: str) -> range:
    return range(2 if name == "many rows" else 5)


@pytest.mark.parametrize("name", PROBLEMS)
def test_losses_are_exact_to_1e_8_whatever_seed_and_kernel(name: str) -> None:
    for seed in seeds(name):
        assert worst_error(PROBLEMS[name](seed=seed), seed) <= PROMISED


@pytest.mark.parametrize("name", PROBLEMS)
def test_gradients_are_exact_to_1e_8_of_what_the_loss_allows(name: str) -> None:
    for seed in seeds(name)[::2]:
        assert worst_gradient_error(PROBLEMS[name](seed=seed), seed) <= PROMISED


def condition(problem: LinearProblem) -> float:
    columns = np.hstack([problem.inputs, problem.targets])
    columns = columns - columns.mean(axis=0)
    return float(np.linalg.cond(columns / np.sqrt(np.square(columns).sum(axis=0))))


@pytest.mark.parametrize("name", ILL_CONDITIONED)
def test_ill_conditioned_problems_keep_the_bound_that_arithmetic_gives(name: str) -> None:
    make, listed = ILL_CONDITIONED[name]
    assert condition(make(seed=0)) == pytest.approx(listed, rel=0.2)
    for seed in range(6):
        problem = make(seed=seed)
        assert worst_error(problem, seed) <= 2 * EPSILON * condition(problem)  # twice: a loss is a square
