"""Optimiser rules and modifiers where no other framework has an answer."""

from typing import Any

import numpy as np
import pytest

from service.learning.arrays import Array
from service.learning.optimisers import (
    BLOCK,
    AccumGrad,
    AdaDelta,
    Adam,
    ClipGlobalNorm,
    ClipGrad,
    ClipNorm,
    Descent,
    Lion,
    Momentum,
    Optimiser,
    OptimiserChain,
    Rprop,
    Rule,
    SignDecay,
    WeightDecay,
)
from service.learning.terms import TermError
from tests.support.learning.networks import all_rules

X = np.array([1.0, -2.0, 3.0, 0.5])
G = np.array([3.0, -4.0, 12.0, 0.0])
ARRAYS = [slice(0, 2), slice(2, 4)]


def step(rule: Rule, gradient: Array = G) -> Array:
    """The first step of a rule from X."""
    dx = gradient.copy()
    assert Optimiser(rule, X.copy(), dx, ARRAYS).step()
    return dx


def chain(*rules: Rule) -> OptimiserChain:
    return OptimiserChain(rules)


def test_weight_decay_adds_the_gradient_of_squares() -> None:
    assert np.allclose(step(WeightDecay(0.1)), G + 0.1 * X)


def test_sign_decay_adds_the_gradient_of_absolute_values() -> None:
    assert np.allclose(step(SignDecay(0.1)), G + 0.1 * np.sign(X))


def test_clip_grad_limits_each_element() -> None:
    assert step(ClipGrad(3.5)).tolist() == [3, -3.5, 3.5, 0]


def test_clip_norm_limits_each_array_alone() -> None:
    assert np.allclose(step(ClipNorm(10)), [3, -4, 10, 0])
    assert np.allclose(step(ClipNorm(5, p=1)), [3 * 5 / 7, -4 * 5 / 7, 5, 0])


def test_clip_global_norm_limits_all_together() -> None:
    assert np.allclose(step(ClipGlobalNorm(6.5)), G / 2)
    assert np.allclose(step(ClipGlobalNorm(13)), G)


@pytest.mark.parametrize("rule", [ClipNorm(2), ClipGlobalNorm(2)], ids=lambda rule: rule.name)
def test_clipping_a_gradient_whose_square_overflows(rule: Rule) -> None:
    dx = np.array([3e30, 4e30], np.float32)
    with np.errstate(over="ignore"):
        Optimiser(rule, np.zeros(2, np.float32), dx, [slice(0, 2)]).step()
    assert dx == pytest.approx([1.2, 1.6])


@pytest.mark.parametrize("rule", [ClipNorm(2), ClipGlobalNorm(2)], ids=lambda rule: rule.name)
def test_clipping_does_not_hide_a_gradient_that_is_not_finite(rule: Rule) -> None:
    dx = np.array([np.inf, 1.0])
    with np.errstate(invalid="ignore"):
        Optimiser(rule, np.zeros(2), dx, [slice(0, 2)]).step()
    assert np.isnan(dx).all()


def test_accumulated_gradients_make_one_step_of_their_mean() -> None:
    x, dx = X.copy(), np.empty(4)
    optimiser = Optimiser(chain(AccumGrad(3), Descent(0.5)), x, dx, ARRAYS)
    taken = []
    for scale in (1.0, 2, 6, 1, 1, 1):
        dx[:] = scale * G
        if optimiser.step():
            taken.append(dx.copy())
    assert np.allclose(taken, [0.5 * 3 * G, 0.5 * G])


def test_what_follows_an_accumulation_counts_only_the_steps_it_takes() -> None:
    """Adam's correction of its first step would differ, had it seen three."""
    dx = G.copy()
    optimiser = Optimiser(chain(AccumGrad(2), Adam(0.1)), X.copy(), dx, ARRAYS)
    assert not optimiser.step()
    dx[:] = G
    assert optimiser.step()
    assert np.allclose(dx, step(Adam(0.1)))


def test_a_chain_applies_its_rules_in_order() -> None:
    expected = 0.1 * np.clip(G + 0.5 * X, -2, 2)
    assert np.allclose(step(chain(WeightDecay(0.5), ClipGrad(2), Descent(0.1))), expected)


def test_a_chain_in_a_chain_is_refused() -> None:
    with pytest.raises(TermError, match="put its rules in its place"):
        chain(chain(Descent()), Adam())


def test_lion_follows_the_paper() -> None:
    x, dx = X.copy(), G.copy()
    optimiser = Optimiser(Lion(0.1, (0.9, 0.8)), x, dx, ARRAYS)
    optimiser.step()
    assert dx.tolist() == (0.1 * np.sign(G)).tolist()
    dx[:] = -0.5 * G
    optimiser.step()
    momentum = 0.2 * G
    assert np.allclose(dx, 0.1 * np.sign(0.9 * momentum - 0.1 * 0.5 * G))


def test_the_rate_of_a_chain_is_its_first_rules_and_changes_everywhere() -> None:
    rule = chain(ClipGrad(), Momentum(0.02), Descent(0.3))
    dx = G.copy()
    optimiser = Optimiser(rule, X.copy(), dx, ARRAYS)
    assert rule.rate == optimiser.rate == 0.02
    optimiser.rate = 0.5
    optimiser.step()
    assert optimiser.rate == 0.5
    assert np.allclose(dx, 0.25 * np.clip(G, -10, 10))


@pytest.mark.parametrize("rule", [AdaDelta(), Rprop(), ClipGrad(), chain(ClipGrad(), Rprop())], ids=lambda r: r.name)
def test_rules_whose_rate_cannot_be_changed_have_none(rule: Rule) -> None:
    assert rule.rate is None


@pytest.mark.parametrize("rule", [rule for rule in all_rules() if rule.scope == "elements"], ids=lambda rule: rule.name)
def test_a_large_vector_is_worked_on_in_blocks_to_the_same_bytes(rule: Rule) -> None:
    """Elements that repeat with a period of 7 take the same steps wherever they lie."""
    size = 2 * BLOCK + 5
    pattern = np.arange(size) % 7
    small_x, small_dx = np.linspace(-3.0, 5.0, 7), np.empty(7)
    x, dx = small_x[pattern], np.empty(size)
    large = Optimiser(rule, x, dx, [slice(0, size)])
    small = Optimiser(rule, small_x, small_dx, [slice(0, 7)])
    for turn in range(4):
        dx[:] = np.cos(pattern + turn)
        small_dx[:] = np.cos(np.arange(7) + turn)
        if large.step():
            x -= dx
        if small.step():
            small_x -= small_dx
    assert np.allclose(x, small_x[pattern], rtol=1e-14)


@pytest.mark.parametrize(
    ("rule", "values", "field"),
    [
        (Descent, {"eta": 0.0}, "eta"),
        (Descent, {"eta": -0.1}, "eta"),
        (Descent, {"eta": float("nan")}, "eta"),
        (Descent, {"eta": 10**400}, "eta"),
        (Descent, {"eta": True}, "eta"),
        (Descent, {"eta": "0.1"}, "eta"),
        (Momentum, {"rho": 1.0}, "rho"),
        (Adam, {"beta": (0.9, 1.0)}, "beta"),
        (Adam, {"beta": (0.9,)}, "beta"),
        (WeightDecay, {"lambda_": -1}, "lambda"),
        (AccumGrad, {"n": 0}, "n"),
        (AccumGrad, {"n": 1.5}, "n"),
        (Rprop, {"gamma": (1.0, 0.1)}, "gamma"),
        (OptimiserChain, {"rules": ()}, "rules"),
        (OptimiserChain, {"rules": (1,)}, "rules"),
    ],
    ids=str,
)
def test_a_field_out_of_bounds_is_refused_by_its_name_on_the_wire(
    rule: type[Rule], values: dict[str, Any], field: str
) -> None:
    with pytest.raises(TermError) as caught:
        rule(**values)
    assert caught.value.field == field


def test_whole_numbers_become_floats() -> None:
    assert Descent(1) == Descent(1.0)
    assert isinstance(Descent(1).eta, float)


ORIGIN = np.linspace(-1, 1, 12)
FOUR = [slice(0, 3), slice(3, 5), slice(5, 9), slice(9, 12)]


def steps_of(optimiser: Optimiser, x: Array, dx: Array, gradients: Array) -> None:
    for gradient in gradients:
        np.copyto(dx, gradient)
        if optimiser.step():
            np.subtract(x, dx, x)


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
@pytest.mark.parametrize("out", [{1}, {0}, {0, 2}], ids=str)
def test_arrays_that_are_left_out_are_as_if_they_were_not_there(rule: Rule, out: set[int]) -> None:
    kept = np.concatenate([np.arange(a.start, a.stop) for index, a in enumerate(FOUR) if index not in out])
    edges = np.cumsum([0, *(a.stop - a.start for index, a in enumerate(FOUR) if index not in out)]).tolist()
    gradients = np.random.default_rng(0).standard_normal((5, 12))
    x, dx, few, d_few = ORIGIN.copy(), np.zeros(12), ORIGIN[kept], np.zeros(len(kept))
    whole = Optimiser(rule, x, dx, FOUR)
    whole.leave_out(frozenset(FOUR[index].start for index in out))
    first = whole.state()
    some = Optimiser(rule, few, d_few, list(map(slice, edges[:-1], edges[1:])))
    rest = np.ones(12, np.bool_)
    rest[kept] = False
    gradients[:, rest] = 0
    steps_of(whole, x, dx, gradients)
    steps_of(some, few, d_few, gradients[:, kept])
    assert np.array_equal(x[kept], few)
    assert np.array_equal(x[rest], ORIGIN[rest])
    assert whole.gradient_square == pytest.approx(some.gradient_square, rel=1e-14)
    for name, array in whole.state().items():
        if ".state." in name:
            assert np.array_equal(array[rest], first[name][rest])


BY_ARRAY = [rule for rule in all_rules() if not any(each.pauses or each.scope == "vector" for each in rule.rules)]
"""Rules by which an array moves whatever the others do."""


@pytest.mark.parametrize("rule", BY_ARRAY, ids=lambda rule: rule.name)
def test_an_array_goes_on_from_where_it_was_left_out(rule: Rule) -> None:
    """What moves it is what it has seen alone, also in a training that was restored meanwhile."""
    gradients = np.random.default_rng(1).standard_normal((9, 12))
    x, dx = ORIGIN.copy(), np.zeros(12)
    optimiser = Optimiser(rule, x, dx, FOUR)
    steps_of(optimiser, x, dx, gradients[:2])
    for out, rows in ((frozenset({3}), slice(2, 5)), (frozenset({0, 3}), slice(5, 7)), (frozenset(), slice(7, 9))):
        optimiser.leave_out(out)
        state = optimiser.state()
        optimiser = Optimiser(rule, x, dx, FOUR)
        optimiser.leave_out(out)
        optimiser.restore(state)
        left = np.concatenate([np.full(a.stop - a.start, a.start in out) for a in FOUR])
        steps_of(optimiser, x, dx, np.where(left, 0.0, gradients[rows]))
    for index, seen in ((0, [0, 1, 2, 3, 4, 7, 8]), (1, [0, 1, 7, 8]), (2, list(range(9)))):
        part = FOUR[index]
        alone, d_alone = ORIGIN[part].copy(), np.zeros(part.stop - part.start)
        steps_of(Optimiser(rule, alone, d_alone, [slice(0, len(alone))]), alone, d_alone, gradients[seen, part])
        assert np.array_equal(x[part], alone)
