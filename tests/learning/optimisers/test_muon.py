"""Muon: orthogonal steps for weights between weights, and another rule for all else."""

from dataclasses import replace

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.losses import MSE
from service.learning.optimisers import LBFGS, AccumGrad, Adam, AdamW, ClipGlobalNorm, Descent, Muon, Optimiser, Rule
from service.learning.terms import TermError
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.learning.networks import network, problem, reports


def orthogonal(u: Array) -> Array:
    """Five iterations of the quintic of K. Jordan's article, as written there."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = u / (np.linalg.norm(u) + 1e-7)
    if len(u) > len(u.T):
        x = x.T
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if len(u) > len(u.T) else x


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)], ids=str)
def test_steps_of_a_weight_follow_the_formula(shape: tuple[int, int]) -> None:
    inputs, outputs = shape
    random, rule = np.random.default_rng(0), Muon(eta=0.05, mu=0.9, lambda_=0.1)
    x, m = random.standard_normal(shape), np.zeros(shape)
    flat, dx = x.ravel().copy(), np.empty(x.size)
    optimiser = Optimiser(rule, flat, dx, [slice(0, x.size)], {0: shape})
    for _ in range(4):
        gradient = random.standard_normal(shape)
        dx[:] = gradient.ravel()
        assert optimiser.step()
        flat -= dx
        m = 0.9 * m + 0.1 * gradient
        nearest = orthogonal((0.1 * gradient + 0.9 * m).T).T
        x = x - 0.05 * (np.sqrt(max(1, outputs / inputs)) * nearest + 0.1 * x)
        assert np.allclose(flat, x.ravel(), rtol=1e-9)


def test_singular_values_come_to_about_one() -> None:
    gradient = np.random.default_rng(1).standard_normal((8, 20)) * np.logspace(0, 1.5, 8)[:, None]
    dx = gradient.ravel().copy()
    assert Optimiser(Muon(eta=1.0, lambda_=0.0), np.zeros(160), dx, [slice(0, 160)], {0: (8, 20)}).step()
    values = np.linalg.svd(dx.reshape(8, 20), compute_uv=False) / np.sqrt(20 / 8)
    assert 0.5 < values.min() < values.max() < 1.3


ENDS = "Chain(Dense(3 => 4, tanh), {}, Dense(4 => 2))"


@pytest.mark.parametrize(
    ("inside", "hidden"),
    [
        ("Dense(4 => 4, relu)", ["layers.1"]),
        ("Dense(4 => 4), LayerNorm(4), BatchNorm(4), Dense(4 => 4)", ["layers.1", "layers.4"]),
        ("Chain(Dense(4 => 4), Dense(4 => 4))", ["layers.1.layers.0", "layers.1.layers.1"]),
        ("SkipConnection(Dense(4 => 4), +)", ["layers.1.layers.0"]),
        ("Parallel(+, Dense(4 => 4), Chain(Dense(4 => 4), tanh))", ["layers.1.layers.0", "layers.1.layers.1.layers.0"]),
        ("tanh", []),
    ],
)
def test_weights_between_weights_are_found_in_every_container(inside: str, hidden: list[str]) -> None:
    net = network(ENDS.format(inside))
    paths = net.layers_by_path.items()
    assert [path for path, node in paths if any(slot.start in net.hidden_weights for slot in node.slots)] == hidden


def test_branches_that_see_the_inputs_or_make_the_outputs_are_not_hidden() -> None:
    branches = "Parallel(+, Dense(3 => 4), Chain(Dense(3 => 5), Dense(5 => 4)))"
    assert list(network(f"Chain({branches}, Dense(4 => 2))").hidden_weights.values()) == [(5, 4)]
    assert list(network("Parallel(vcat, Dense(3 => 1), Chain(Dense(3 => 5), Dense(5 => 4)))").hidden_weights) == []
    assert network("Dense(3 => 2)").hidden_weights == {}


def test_all_else_goes_by_the_fallback_whose_rate_keeps_its_ratio() -> None:
    net = network("Chain(Dense(3 => 4, tanh), Dense(4 => 4, tanh), Dense(4 => 2))", "float32")
    fallback = AdamW(0.01, (0.9, 0.95), lambda_=0.1)
    recipe = Recipe(loss=MSE(), optimiser=fallback, epochs=1, path="batches")
    both, rows = [], problem(9, dtype="float32")
    for rule in (fallback, Muon(fallback, eta=0.04)):
        training = Training(Problem(net, rows, None, replace(recipe, optimiser=rule)), net.initial(0))
        reports(training)
        both.append(training.result())
    differs = both[0] != both[1]
    (start,), size = net.hidden_weights, 16
    assert differs[start : start + size].all()
    assert not differs[:start].any()
    assert not differs[start + size :].any()

    dx = np.array([2.0, -1.0])
    optimiser = Optimiser(Muon(Descent(0.1), eta=0.02), np.zeros(2), dx, [slice(0, 2)])
    optimiser.rate = 0.2
    assert optimiser.step()
    assert np.allclose(dx, [2.0, -1.0])


@pytest.mark.parametrize("opt", [LBFGS(), AccumGrad(2), ClipGlobalNorm(), Muon()], ids=lambda rule: rule.name)
def test_a_fallback_that_needs_more_than_one_array_is_refused(opt: Rule) -> None:
    with pytest.raises(TermError, match="such as AdamW"):
        Muon(opt)


def test_huge_gradients_make_steps_of_the_usual_size() -> None:
    dx = np.full(16, 1e30, np.float32)
    with np.errstate(over="ignore"):
        assert Optimiser(Muon(Adam()), np.zeros(16, np.float32), dx, [slice(0, 16)], {0: (4, 4)}).step()
    assert 0 < np.abs(dx).max() < 0.1
