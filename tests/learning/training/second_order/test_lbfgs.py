"""LBFGS meets the conditions of Wolfe, and comes to optima that are known otherwise."""

from collections.abc import Callable

import numpy as np
import pytest

from service.learning.losses import HuberLoss, LogitCrossEntropy
from service.learning.optimisers import LBFGS, OptimiserChain, WeightDecay
from service.learning.training.second_order.line_search import Point, line_search
from tests.support.learning.second_order import reports_of, sine, training


def walked(at: Callable[[float], Point], start: Point, first: float) -> tuple[Point, bool]:
    """The last point that a search tries, and whether that is the step."""
    search = line_search(start, first, 0.0)
    step = next(search)
    while True:
        here = at(step)
        try:
            step = search.send(here)
        except StopIteration as end:
            return here, end.value


@pytest.mark.parametrize("first", [1e-4, 1.0, 50.0])
def test_a_step_meets_the_strong_conditions_of_wolfe(first: float) -> None:
    """On x⁴ - 3x² + x from 2, in the direction of descent, with its hill and two valleys."""

    def at(step: float) -> Point:
        x = 2 - step
        return Point(step, x**4 - 3 * x**2 + x, -(4 * x**3 - 6 * x + 1))

    start = at(0)
    here, found = walked(at, start, first)
    assert found
    assert here.loss <= start.loss + 1e-4 * here.at * start.slope
    assert abs(here.slope) <= 0.9 * abs(start.slope)


def test_a_direction_without_a_lower_place_gives_no_step() -> None:
    _, found = walked(lambda step: Point(step, np.inf, np.inf), Point(0.0, 1.0, -1.0), 1.0)
    assert found is False


def test_ridge_logistic_regression_ends_with_no_gradient() -> None:
    """A convex loss: where the gradient is 0, no place is lower."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 4))
    y = np.eye(3)[(x @ rng.standard_normal((4, 3)) + rng.standard_normal((60, 3))).argmax(axis=1)]
    rule = OptimiserChain(rules=(WeightDecay(lambda_=0.01), LBFGS()))
    found = training("Dense(4 => 3)", x, y, rule, loss=LogitCrossEntropy(), epochs=40)
    reports_of(found)
    weights, bias = found.result()[:12].reshape(4, 3), found.result()[12:]
    e = np.exp(x @ weights + bias)
    error = (e / e.sum(axis=1, keepdims=True) - y) / len(x)
    assert abs(x.T @ error + 0.01 * weights).max() < 1e-7
    assert abs(error.sum(axis=0) + 0.01 * bias).max() < 1e-7


def test_a_network_comes_far_below_its_start_with_any_smooth_loss() -> None:
    x, y = sine()
    reports = reports_of(
        training("Chain(Dense(1 => 6, tanh), Dense(6 => 1))", x, y, LBFGS(memory=5), loss=HuberLoss(), epochs=60)
    )
    assert reports[-1].train_loss < 1e-3 * reports[0].train_loss
    assert reports[0].rate is None
    assert all(report.rate is None or report.rate > 0 for report in reports)
