"""Values and slopes of large, small and equal numbers have the digits of mpmath's, and are finite where those are."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.expressions import FUNCTIONS, ROW_FUNCTIONS, compile_activation
from service.learning.layers.activations import ACTIVATIONS, Activation
from service.learning.losses import LOSSES, DiceCoeffLoss, HuberLoss, LogitCrossEntropy
from tests.support.learning.answers import answers, term

Array = NDArray[Any]
UNITS = 128  # of the last digit; exp alone takes as many as its argument is large
FROM_VALUES = {"tanh(x)", "sigmoid(x)", "softmax(x)", "logsoftmax(x)"}
"""Functions of formulas whose slopes are made of their values."""
NOT_IN_THE_TABLE = {"+", "-", "*", "unary -", "sign", "<", "<=", ">", ">=", "==", "!=", "&&", "||", "!", "ifelse"}
"""Exact, or without a slope."""


def cases(kind: str) -> list[Any]:
    found = answers(f"mpmath_{kind}")["cases"]
    names = [case["term"].get("expression", case["term"]["name"]).replace(" ", "") for case in found]
    return [pytest.param(case, id=f"{name}-{case['dtype']}") for case, name in zip(found, names, strict=True)]


def misses(case: Any, ours: Any, exact: Any, near: Array, absolute: float = 0.0) -> list[str]:
    """List the cases in which ours differ from the exact numbers in more than the last two digits.

    Where `near` holds, results may be denormal. Elsewhere numbers below the smallest normal one may be 0, and numbers
    beyond the largest are infinite.
    """
    limits = np.finfo(case["dtype"])
    ours, exact = np.asarray(ours, np.float64), np.asarray(exact, np.float64)
    assert ours.shape == exact.shape
    near = np.broadcast_to(near.reshape(near.shape + (1,) * (exact.ndim - near.ndim)), exact.shape)
    floor = np.where(near, 4 * float(limits.smallest_subnormal), float(limits.tiny))
    size = np.abs(exact)
    beyond = size > float(limits.max)
    with np.errstate(all="ignore"):
        close = np.abs(ours - exact) <= UNITS * float(limits.eps) * np.minimum(size, 1e308) + floor + absolute
    good = np.where(beyond, (np.abs(ours) >= float(limits.max)) & (np.sign(ours) == np.sign(exact)), close)
    given = case.get("x") or list(zip(case["prediction"], case["target"], strict=True))
    return [f"{given[place[0]]}: {ours[place]} for {exact[place]}" for place in map(tuple, np.argwhere(~good))]


@pytest.mark.parametrize("case", cases("activations"))
def test_an_activation_keeps_its_digits(case: Any) -> None:
    activation: Activation = term(ACTIVATIONS, case["term"])
    x = np.array(case["x"], case["dtype"])
    near = np.abs(x.reshape(len(x), -1)).max(axis=1) < 1
    rows = x.reshape(len(x), -1)
    y = rows.copy()
    with np.errstate(all="ignore"):
        activation.bind(y if activation.from_output else rows, y)[0]()
        slopes = pulled_back(activation, rows)
    assert misses(case, y.reshape(x.shape), case["value"], near) == []
    from_values = activation.from_output or case["term"].get("expression") in FROM_VALUES
    absolute = 4 * float(np.finfo(x.dtype).eps) if from_values else 0.0
    assert misses(case, slopes.reshape(np.shape(case["slope"])), case["slope"], near, absolute) == []


def pulled_back(activation: Activation, rows: Array) -> Array:
    """For each row the slopes of each output by each input (of other than whole rows, there is one)."""
    slopes = []
    for output in range(rows.shape[1]):
        y, dy = rows.copy(), np.zeros_like(rows)
        activate, pull_back = activation.bind(y if activation.from_output else rows, y)
        activate()
        dy[:, output] = 1
        pull_back(dy)
        slopes.append(dy)
    return np.stack(slopes, axis=1)


@pytest.mark.parametrize("case", cases("losses"))
@pytest.mark.parametrize("agg", ["mean", "sum"])
def test_a_loss_of_one_row_keeps_its_digits(case: Any, agg: str) -> None:
    fields = {"agg": agg} if LOSSES[case["term"]["name"]]().separable else {}
    loss = term(LOSSES, {**case["term"], **fields})
    ŷ, y = (np.array(case[name], case["dtype"]) for name in ("prediction", "target"))
    values, gradients = [], np.empty_like(ŷ)
    with np.errstate(all="ignore"):
        for row in range(len(ŷ)):
            some = slice(row, row + 1)
            values.append(loss.bind(ŷ[some], y[some], gradients[some], None)())
        totals = [total_of(loss, ŷ[row : row + 1], y[row : row + 1]) for row in range(len(ŷ))]
    near = (np.abs(ŷ).max(axis=1) < 1) & (np.abs(y).max(axis=1) < 1)
    undecided = 4 * float(np.finfo(ŷ.dtype).eps) if np.any((y > 0) & (y < 1)) and loss.name in SOFT else 0.0
    assert misses(case, values, case["value"], near) == []
    assert misses(case, totals, case["value"], near) == []
    assert misses(case, gradients, case["slope"], near, undecided) == []
    if loss.name not in MAY_BE_NEGATIVE:
        assert min(values) >= 0


SOFT = {"logitcrossentropy", "logitbinarycrossentropy"}
"""Their slopes p - y pass through 0 where labels are between 0 and 1."""
MAY_BE_NEGATIVE = {"poisson_loss", "kldivergence"}
"""A term of a divergence may be, its sum over the classes is not."""


def total_of(loss: Any, ŷ: Array, y: Array) -> float:
    total = loss.total()
    total.add(ŷ, y)
    value: float = total.value
    return value


def test_a_narrow_huber_loss_is_finite_where_the_difference_is_not() -> None:
    for dtype in ("float32", "float64"):
        largest = np.finfo(dtype).max
        with np.errstate(over="ignore"):
            terms = HuberLoss(delta=0.125).terms(np.array([[largest]]), np.array([[-largest]]))
        assert terms.tolist() == [[float(largest / 4)]]


def test_logits_beyond_the_dtype_apart_keep_a_finite_loss_of_soft_labels() -> None:
    largest = float(np.finfo(np.float64).max)
    loss, slope = LogitCrossEntropy(), np.empty((1, 2))
    with np.errstate(all="ignore"):
        value = loss.bind(np.array([[largest, -largest]]), np.array([[0.75, 0.25]]), slope, None)()
    assert value == largest / 2
    assert slope.tolist() == [[0.25, -0.25]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("margin", [0.0, 0.01, 1.0, 8.0, 40.0])
def test_a_batch_of_logits_has_the_loss_and_gradient_of_its_rows(margin: float, dtype: str) -> None:
    """Rows that are told apart by much, by little, or not at all go through different formulas."""
    generator = np.random.default_rng(3)
    y = np.eye(4)[generator.integers(0, 4, 50)].astype(dtype)
    ŷ = (generator.standard_normal((50, 4)) * 0.1 + margin * y).astype(dtype)
    ŷ[0], loss = 0, LogitCrossEntropy(agg="sum")
    gradient, exact = np.empty_like(ŷ), ŷ.astype(np.float64)
    value = loss.bind(ŷ, y, gradient, None)()
    assert value == pytest.approx(float(loss.terms(exact, y).sum()), rel=64 * float(np.finfo(dtype).eps))
    np.testing.assert_allclose(gradient, loss.slope(exact, y), rtol=1e-4, atol=4 * float(np.finfo(dtype).eps))


def test_masks_without_anything_in_them_overlap_fully() -> None:
    nothing, gradient = np.zeros((2, 1)), np.empty((2, 1))
    assert DiceCoeffLoss(smooth=0).bind(nothing, nothing, gradient, None)() == 0
    assert gradient.tolist() == [[0], [0]]


def test_every_activation_and_loss_is_in_the_table() -> None:
    for registry, kind in ((ACTIVATIONS, "activations"), (LOSSES, "losses")):
        asked = {case["term"]["name"] for case in answers(f"mpmath_{kind}")["cases"]}
        assert set(registry) - asked <= {"expression"}


def test_every_function_of_a_formula_is_in_the_table() -> None:
    written = {case["term"].get("expression") for case in answers("mpmath_activations")["cases"]} - {None}
    used = {step.function for text in written for step in compile_activation(text).steps}
    assert {*FUNCTIONS, *ROW_FUNCTIONS} - used <= NOT_IN_THE_TABLE
