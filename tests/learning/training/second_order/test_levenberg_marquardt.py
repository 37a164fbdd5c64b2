"""LevenbergMarquardt finds certified parameters, and steps by gradients and curvature that are right."""

from collections.abc import Callable, Generator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.losses import MSE, MSLE, BinaryCrossEntropy, CrossEntropy, LogitCrossEntropy, Loss
from service.learning.network import Network
from service.learning.optimisers import LevenbergMarquardt, OptimiserChain, WeightDecay
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.second_order.rows import RowSurface
from service.learning.training.second_order.surface import Survey
from tests.support.learning.networks import network
from tests.support.learning.nist import NIST, Certified
from tests.support.learning.second_order import reports_of, sine, training

SIX_DIGITS = 0.5e-6
CASES: list[tuple[str, Loss]] = [
    ("Chain(Dense(3 => 4, tanh), Dense(4 => 2))", MSE()),
    ("Chain(Dense(3 => 4, tanh), Dense(4 => 1, softplus))", MSLE(agg="sum")),
    ("Chain(Dense(3 => 4, tanh), Dense(4 => 3), softmax)", CrossEntropy()),
    ("Chain(Dense(3 => 4, tanh), Dense(4 => 3))", LogitCrossEntropy()),
    ("Chain(Dense(3 => 4, tanh), Dense(4 => 2, sigmoid))", BinaryCrossEntropy()),
    (
        "Chain(LayerNorm(3), SkipConnection(Dense(3 => 3, swish), +), Parallel(vcat, Dense(3 => 2), tanh))",
        MSE(),
    ),
]


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("certified", NIST, ids=lambda certified: certified.name)
def test_six_digits_that_nist_certifies(certified: Certified, start: int) -> None:
    x, y, start_vector = certified.x, certified.y, certified.vector(certified.starts[start])
    found = training(certified.architecture, x, y, start=start_vector, epochs=900)
    reports_of(found)
    expected = certified.vector(certified.parameters)
    assert (abs(found.result() - expected) <= SIX_DIGITS * abs(expected)).all()
    if certified.name != "Lanczos1":  # of which the sum is rounding alone
        assert found.final_loss() * len(x) == pytest.approx(certified.squares, rel=SIX_DIGITS)


def evaluated(surface: RowSurface, theta: Array) -> Survey:
    found: list[Survey | None] = []

    def walk() -> Generator[float, None, None]:
        found.append((yield from surface.evaluate(theta.astype(np.float64), np.inf)))

    list(walk())
    assert found[0] is not None
    return found[0]


def weighted_problem(notation: str, loss: Loss) -> tuple[Problem, Array]:
    rng, net = np.random.default_rng(0), network(notation)
    y = rng.dirichlet(np.ones(max(net.outputs, 2)), 9)[:, : net.outputs]
    part = Part(rng.standard_normal((9, 3)), y, rng.uniform(0.5, 2, 9))
    problem = Problem(net, part, None, Recipe(loss=loss, optimiser=LevenbergMarquardt(), epochs=1))
    return problem, net.initial(0) + 0.1 * rng.standard_normal(net.parameter_count)


@pytest.mark.parametrize(("notation", "loss"), CASES)
def test_the_curvature_is_that_of_the_loss_along_its_tangent(notation: str, loss: Loss, monkeypatch: Any) -> None:
    """With outputs linearised by differences, the loss has the surface's Hessian for its own: vᵀHv shows it."""
    monkeypatch.setattr(Network, "block_rows", 4)
    problem, theta = weighted_problem(notation, loss)
    curved = RowSurface(problem, None, curved=True, decay=0.25)
    flat = RowSurface(problem, None, curved=False, decay=0.25)
    here, plain = evaluated(curved, theta), evaluated(flat, theta)
    v, h = np.random.default_rng(1).standard_normal(len(theta)), 1e-5
    there, before = evaluated(flat, theta + h * v), evaluated(flat, theta - h * v)
    assert here.target == pytest.approx(plain.target, rel=1e-12)
    assert np.allclose(here.gradient, plain.gradient, rtol=0, atol=1e-12)
    assert here.gradient @ v == pytest.approx((there.target - before.target) / (2 * h), abs=1e-6)
    assert here.curvature is not None
    assert np.linalg.eigvalsh(here.curvature)[0] > 0.249
    assert v @ here.curvature @ v == pytest.approx(along_the_tangent(problem, theta, v), rel=1e-5)


def along_the_tangent(problem: Problem, theta: Array, v: Array) -> float:
    """The second derivative of the loss along outputs that move on a straight line, with the decay's.

    For mse that is exact; where a loss is taken at the logits or of logarithms, on a straight line of these.
    """
    net, part, loss, h = problem.network, problem.train, problem.recipe.loss, 1e-4
    assert part.weights is not None
    forward, backward = MAPS.get(loss.name, (same, same))
    at, ahead, behind = (forward(net.predict(theta + s * v, part.inputs)) for s in (0, 1e-5, -1e-5))
    slope = (ahead - behind) / 2e-5
    weights = part.weights

    def value(step: float) -> float:
        total = loss.total()
        total.add(backward(at + step * slope), np.asarray(part.targets[:]), weights[:, None])
        return total.value

    straight = (value(h) - 2 * value(0) + value(-h)) / h**2
    return straight + 0.25 * float(v @ v)


def same(x: Array) -> Array:
    return x


def softmax(x: Array) -> Array:
    e: Array = np.exp(x)
    e /= e.sum(axis=1, keepdims=True)
    return e


def logit(p: Array) -> Array:
    x: Array = np.log(p / (1 - p))
    return x


def sigmoid(x: Array) -> Array:
    p: Array = 1 / (1 + np.exp(-x))
    return p


MAPS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "msle": (np.log, np.exp),
    "crossentropy": (np.log, softmax),
    "binarycrossentropy": (logit, sigmoid),
}
"""To the numbers in which a loss's curvature is taken, and back."""


def test_every_kept_step_lowers_the_loss() -> None:
    losses = [
        report.train_loss for report in reports_of(training("Chain(Dense(1 => 5, tanh), Dense(5 => 1))", *sine()))
    ]
    assert all(later <= earlier for earlier, later in pairwise(losses))
    assert losses[-1] < 1e-2 * losses[0]


@pytest.mark.parametrize("path", ["quadratic", "second_order"])
def test_weight_decay_leads_to_ridge_regression(path: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 3)), rng.standard_normal((30, 2))
    rule = OptimiserChain(rules=(WeightDecay(lambda_=0.1), LevenbergMarquardt()))
    found = training("Dense(3 => 2; bias=false)", x, y, rule, path=path)
    reports_of(found)
    expected = np.linalg.solve(x.T @ x + 0.1 * 30 * np.eye(3), x.T @ y)  # of a mean over 60 elements, λ/2 Σ w²
    assert np.allclose(found.result().reshape(3, 2), expected, rtol=0, atol=1e-9)


def test_frozen_layers_rest_while_the_others_find_their_optimum() -> None:
    x, y = sine()
    found = training("Chain(Dense(1 => 5, tanh), Dense(5 => 1))", x, y, frozen=("layers.0",))
    start = found.parameters
    reports_of(found)
    hidden = np.tanh(x @ start[:5].reshape(1, 5) + start[5:10])
    best = np.linalg.lstsq(np.hstack([hidden, np.ones_like(x)]), y, rcond=None)[1][0] / len(x)
    assert (found.result()[:10] == start[:10]).all()
    assert found.final_loss() == pytest.approx(best, rel=1e-6)
