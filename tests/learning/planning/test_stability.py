from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.optimisers import OPTIMISERS, Optimiser, Rule
from service.learning.planning.curvature import BUDGET, affordable_sample, largest_curvature, sample_indices
from service.learning.planning.stability import (
    RateBounds,
    best_rate,
    bounds_of_quadratic,
    contraction,
    estimated_bounds,
    largest_stable_rate,
)
from service.learning.rows.gram import Gram
from service.learning.training.quadratic.form import QuadraticLoss
from tests.support.learning.linear_problems import linear_problem

Vector = NDArray[np.floating[Any]]


DESCENT = OPTIMISERS["Descent"]()
MOMENTUMS: list[Rule] = [OPTIMISERS["Momentum"](rho=rho) for rho in (0.0, 0.5, 0.9)]  # type: ignore[call-arg]  # terms are dataclasses
NESTEROVS: list[Rule] = [OPTIMISERS["Nesterov"](rho=rho) for rho in (0.0, 0.5, 0.9)]  # type: ignore[call-arg]  # terms are dataclasses
RULES = [DESCENT, *MOMENTUMS, *NESTEROVS]


def line(first: int, last: int) -> QuadraticLoss:
    x = np.arange(float(first), last + 1)[:, None]
    return QuadraticLoss(Gram.of(x, 4 * x + 2))


def remaining(rule: Rule, eigenvalues: Vector, eta: float, steps: int) -> float:
    """The error's size after steps along these eigenvectors, from 1 each, by the rule at work."""
    x, dx = np.ones_like(eigenvalues), np.empty_like(eigenvalues)
    optimiser = Optimiser(rule, x, dx, [slice(0, len(x))])
    optimiser.rate = eta
    with np.errstate(over="ignore"):
        for _ in range(steps):
            np.multiply(eigenvalues, x, out=dx)
            optimiser.step()
            x -= dx
    return float(np.abs(x).max())


def left(rule: Rule, u: float) -> float:
    assert rule.recurrence is not None
    return contraction(rule.recurrence, u)


@pytest.mark.parametrize(
    ("first", "last", "stable"),
    [(0, 5, True), (-1, 5, True), (1, 6, False), (0, 6, False), (1, 10, False), (-1, 6, False), (0, 8, False)],
)
def test_the_tutorial_rate_is_stable_exactly_where_training_converges(first: int, last: int, stable: bool) -> None:
    form = line(first, last)
    bounds = bounds_of_quadratic(DESCENT, form)
    assert bounds.largest_stable is not None
    assert bounds.largest_stable.exact
    assert (bounds.largest_stable.value > 0.1) is stable
    assert (remaining(DESCENT, form.spectrum.eigenvalues, 0.1, 300) < 1) is stable


def test_the_tutorial_has_its_largest_stable_and_best_rates() -> None:
    bounds = bounds_of_quadratic(DESCENT, line(0, 5))
    assert bounds.largest_stable is not None
    assert bounds.best is not None
    assert bounds.largest_stable.value == pytest.approx(0.101305, abs=5e-7)
    hessian = 2 * np.array([[55 / 6, 2.5], [2.5, 1]])
    assert bounds.best.value == pytest.approx(2 / np.linalg.eigvalsh(hessian).sum(), rel=1e-12)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_errors_shrink_just_below_the_largest_stable_rate_and_grow_above(rule: Rule) -> None:
    eigenvalues = np.array([7.0, 2.0, 0.7])
    bound = largest_stable_rate(rule, 7.0)
    assert bound is not None
    assert remaining(rule, eigenvalues, bound * 0.99, 3000) < 1e-3
    assert remaining(rule, eigenvalues, bound * 1.01, 3000) > 1e3


@pytest.mark.parametrize("smallest", [0.05, 3.0, 7.0])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_no_other_fixed_rate_is_better_than_the_best(rule: Rule, smallest: float) -> None:
    best, bound = best_rate(rule, smallest, 7.0), largest_stable_rate(rule, 7.0)
    assert best is not None
    assert bound is not None
    assert best <= bound

    def worst(eta: float) -> float:
        return max(left(rule, eta * curvature) for curvature in np.linspace(smallest, 7, 7))

    near = best * np.linspace(0.98, 1.02, 21)
    others = min(worst(float(eta)) for eta in (*np.linspace(0, bound, 50)[1:], *near))
    assert worst(best) <= others + 1e-7


def test_contraction_is_what_steps_show_in_the_long_run() -> None:
    for rule, u in product(RULES, (0.1, 0.9, 1.2)):
        if left(rule, u) > 0:
            shown = remaining(rule, np.array([1.0]), u, 600)
            assert shown ** (1 / 600) == pytest.approx(left(rule, u), rel=0.03, abs=0.3 if shown == 0 else 0)


def test_other_rules_have_no_bound() -> None:
    assert bounds_of_quadratic(OPTIMISERS["Adam"](), line(0, 5)) == RateBounds(None, None)
    assert estimated_bounds(OPTIMISERS["Adam"](), 3.0) == RateBounds(None, None)


def test_a_loss_without_curvature_has_no_bound() -> None:
    zeros = np.zeros((4, 2))
    assert bounds_of_quadratic(DESCENT, QuadraticLoss(Gram.of(zeros, zeros), bias=False)) == RateBounds(None, None)
    assert estimated_bounds(DESCENT, -1.0) == RateBounds(None, None)


def test_an_estimate_is_marked_as_one() -> None:
    bounds = estimated_bounds(DESCENT, 4.0)
    assert bounds.largest_stable is not None
    assert (bounds.largest_stable.value, bounds.largest_stable.exact) == (0.5, False)
    assert bounds.best is not None
    assert (bounds.best.value, bounds.best.exact) == (0.25, False)


def bend(theta: Vector) -> Vector:
    """Gradient of Σ cosh(aᵢ θᵢ): the Hessian at θ is diagonal, aᵢ² cosh(aᵢ θᵢ)."""
    a = np.linspace(0.1, 2, len(theta)).astype(theta.dtype)
    return np.asarray(a * np.sinh(a * theta))


@pytest.mark.parametrize(("dtype", "accuracy"), [(np.float64, 1e-3), (np.float32, 2e-3)])
def test_the_largest_curvature_is_found_from_gradients_alone(dtype: type[np.floating], accuracy: float) -> None:
    theta = np.random.default_rng(0).normal(size=50).astype(dtype)
    a = np.linspace(0.1, 2, 50)
    exact = (np.square(a) * np.cosh(a * theta)).max()
    assert largest_curvature(bend, theta) == pytest.approx(exact, rel=accuracy)


def test_a_difference_of_gradients_is_as_exact_as_promised() -> None:
    theta = np.array([0.7])
    assert largest_curvature(bend, theta) == pytest.approx(0.01 * np.cosh(0.07), rel=1e-9)
    single = largest_curvature(bend, theta.astype(np.float32))
    assert single == pytest.approx(0.01 * np.cosh(0.07), rel=1e-4)


def test_the_largest_curvature_of_a_linear_layer_is_its_largest_eigenvalue() -> None:
    problem = linear_problem(columns=8)
    form = QuadraticLoss(Gram.of(problem.inputs, problem.targets))

    def gradient(theta: Vector) -> Vector:
        out = np.empty_like(theta)
        form.gradient(theta, out)
        return out

    assert largest_curvature(gradient, np.zeros(9)) == pytest.approx(form.spectrum.eigenvalues[0], rel=1e-3)


def test_negative_curvature_does_not_pass_for_the_largest() -> None:
    assert largest_curvature(lambda theta: theta * np.array([-9.0, 1.0, 2.0]), np.zeros(3)) == pytest.approx(
        2, rel=1e-3
    )


@pytest.mark.parametrize(("rows", "parameters"), [(6, 2), (1000, 5000), (10**6, 20_000), (10**6, 110_000)])
def test_an_estimate_stays_within_its_budget(rows: int, parameters: int) -> None:
    sample = affordable_sample(rows, 6 * parameters, parameters)
    assert sample is not None
    count, iterations = sample
    assert 1 <= count <= rows
    assert 2 * iterations * count * 6 * parameters <= BUDGET


def test_no_estimate_is_made_from_a_handful_of_rows() -> None:
    assert affordable_sample(10**6, 6 * 2_000_000, 2_000_000) is None


def test_sampled_rows_are_spread_evenly() -> None:
    np.testing.assert_array_equal(sample_indices(7, 7), np.arange(7))
    np.testing.assert_array_equal(sample_indices(101, 3), [0, 50, 100])
