"""Random expressions against NumPy: values from functions written down once more here, gradients from differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.learning.expressions import (
    FUNCTIONS,
    ROW_FUNCTIONS,
    Compiler,
    ExpressionActivation,
    ExpressionLoss,
    Run,
    parse,
)

Array = NDArray[Any]
Reference = Callable[[Array, Array], Array]
Written = tuple[str, Reference]  # the text, and what NumPy makes of it

ROWS = np.random.default_rng(8).normal(size=(4, 3)), np.random.default_rng(9).normal(size=(4, 3))


def logistic(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def row_softmax(x: Array) -> Array:
    x = np.broadcast_to(x, (4, 3))
    return np.asarray(np.exp(x) / np.exp(x).sum(axis=1, keepdims=True))


UNARY: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "unary -": ("(-{})", np.negative),
    "abs": ("abs({})", np.abs),
    "abs2": ("abs2.({})", lambda x: x * x),
    "sign": ("sign({})", np.sign),
    "sqrt": ("sqrt(abs2({}) + 1)", lambda x: np.sqrt(x * x + 1)),
    "exp": ("exp(-abs({}))", lambda x: np.exp(-np.abs(x))),
    "expm1": ("expm1(tanh({}))", lambda x: np.expm1(np.tanh(x))),
    "log": ("log(abs({}) + 0.5)", lambda x: np.log(np.abs(x) + 0.5)),
    "log2": ("log2(abs({}) + 0.5)", lambda x: np.log(np.abs(x) + 0.5) / np.log(2)),
    "log10": ("log10(abs({}) + 0.5)", lambda x: np.log(np.abs(x) + 0.5) / np.log(10)),
    "log1p": ("log1p(abs({}))", lambda x: np.log(1 + np.abs(x))),
    "sin": ("sin({})", np.sin),
    "cos": ("cos.({})", np.cos),
    "tan": ("tan(0.5 * sin({}))", lambda x: np.tan(0.5 * np.sin(x))),
    "atan": ("atan({})", np.arctan),
    "sinh": ("sinh(sin({}))", lambda x: np.sinh(np.sin(x))),
    "cosh": ("cosh(sin({}))", lambda x: np.cosh(np.sin(x))),
    "tanh": ("tanh({})", np.tanh),
    "sigmoid": ("σ({})", logistic),
    "softplus": ("softplus({})", lambda x: np.logaddexp(0, x)),
    "logcosh": ("logcosh({})", lambda x: np.logaddexp(x, -x) - np.log(2)),
    "relu": ("relu({})", lambda x: np.where(x > 0, x, 0)),
    "softmax": ("softmax({} + 0ŷ)", row_softmax),
    "logsoftmax": ("logsoftmax({} + 0ŷ)", lambda x: np.log(row_softmax(x))),
    "clamp": ("clamp({}, -0.5, pi / 4)", lambda x: np.clip(x, -0.5, np.pi / 4)),
    "cube": ("({})^3", lambda x: x**3),
    "sum": ("sum({})", np.sum),
    "mean": ("mean({})", np.mean),
    "sum of rows": ("sum({} + 0ŷ; dims=1)", lambda x: np.broadcast_to(x, (4, 3)).sum(axis=1, keepdims=True)),
    "mean of rows": ("mean({} + 0ŷ, dims=1)", lambda x: np.broadcast_to(x, (4, 3)).mean(axis=1, keepdims=True)),
}
BINARY: dict[str, tuple[str, Callable[[Array, Array], Array]]] = {
    "+": ("({} + {})", np.add),
    "-": ("({} .- {})", np.subtract),
    "*": ("{} * {}", np.multiply),
    "/": ("({} / (abs({}) + 1))", lambda a, b: a / (np.abs(b) + 1)),
    "^": ("((abs({}) + 0.5) .^ tanh({}))", lambda a, b: np.power(np.abs(a) + 0.5, np.tanh(b))),
    "max": ("max({}, {})", np.maximum),
    "min": ("min({}, {}, 0.7)", lambda a, b: np.minimum(np.minimum(a, b), 0.7)),
    "<": ("({} < {})", lambda a, b: np.where(a < b, 1.0, 0.0)),
    "<=": ("({} <= {})", lambda a, b: np.where(a <= b, 1.0, 0.0)),
    "==": ("({} == {})", lambda a, b: np.where(a == b, 1.0, 0.0)),
    "!=": ("({} ≠ {})", lambda a, b: np.where(a != b, 1.0, 0.0)),
    "&&": ("(0 < {} && {} < 1)", lambda a, b: np.where((a > 0) & (b < 1), 1.0, 0.0)),
    "||": ("({0} > 0 || !({1} >= {0}))", lambda a, b: np.where((a > 0) | ~(b >= a), 1.0, 0.0)),
    "ifelse": ("ifelse({0} > {1}, sin({0}), 2 * {1})", lambda a, b: np.where(a > b, np.sin(a), 2 * b)),
}


def apply(name: str, inner: Written) -> Written:
    template, function = UNARY[name]
    text, value = inner
    return template.format(f"({text})"), lambda ŷ, y: function(value(ŷ, y))


def combine(name: str, left: Written, right: Written) -> Written:
    template, function = BINARY[name]
    return template.format(f"({left[0]})", f"({right[0]})"), lambda ŷ, y: function(left[1](ŷ, y), right[1](ŷ, y))


def constant(value: float) -> Written:
    return f"{value!r}", lambda ŷ, y: np.asarray(value)


LEAVES: st.SearchStrategy[Written] = st.one_of(
    st.just(("ŷ", lambda ŷ, y: ŷ)),
    st.just(("target", lambda ŷ, y: y)),
    st.floats(0.125, 4, width=16).map(constant),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(apply, st.sampled_from(sorted(UNARY)), inner),
        st.builds(combine, st.sampled_from(sorted(BINARY)), inner, inner),
    ),
    max_leaves=8,
)


def run_of(text: str, ŷ: Array, y: Array) -> Run:
    compiler = Compiler({"ŷ": (), "y": ("target",)})
    return Run(compiler.program(compiler.value(parse(f"({text}) + 0ŷ"))), (ŷ, y))


@settings(max_examples=100)
@given(EXPRESSIONS, st.sampled_from([np.float64, np.float32]))
def test_values_are_those_that_numpy_computes(written: Written, dtype: type[np.floating]) -> None:
    text, reference = written
    ŷ, y = ROWS[0].astype(dtype), ROWS[1].astype(dtype)
    with np.errstate(all="ignore"):
        exact = np.broadcast_to(reference(ŷ.astype(np.float64), y.astype(np.float64)), ŷ.shape)
        nearby = np.broadcast_to(reference(ŷ * (1 + 1e-6), y * (1 - 1e-6)), ŷ.shape)
        wide = np.broadcast_to(reference(ŷ.astype(np.longdouble), y.astype(np.longdouble)), ŷ.shape)
    largest = np.abs(exact).max()
    assume(largest < 1e6)  # float32 has its limits
    assume(np.abs(wide - exact).max() <= 1e-6 * (1 + largest))  # nor has a comparison that rounding decides
    assume(dtype is np.float64 or np.abs(nearby - exact).max() <= 1e-3 * (1 + largest))  # and does not count at a jump
    run = run_of(text, ŷ, y)
    with np.errstate(all="ignore"):
        run.forward()
    assert run.result.dtype == dtype
    accuracy = 1e-9 if dtype is np.float64 else 2e-2
    np.testing.assert_allclose(run.result, exact, rtol=accuracy, atol=accuracy * (1 + largest))


@settings(max_examples=100)
@given(EXPRESSIONS)
def test_gradients_are_those_of_central_differences(written: Written) -> None:
    text, reference = written
    ŷ, y = ROWS
    weights = np.cos(np.arange(12.0)).reshape(4, 3)  # no two elements alike

    def total(at: Array) -> float:
        return float((weights * reference(at, y)).sum())

    def slopes(h: float) -> Array:
        out = np.empty_like(ŷ)
        for place in np.ndindex(*ŷ.shape):
            step = np.zeros_like(ŷ)
            step[place] = h
            one, two = total(ŷ + step) - total(ŷ - step), total(ŷ + 2 * step) - total(ŷ - 2 * step)
            out[place] = (8 * one - two) / (12 * h)
        return out

    with np.errstate(all="ignore"):
        coarse, fine = slopes(1e-3), slopes(5e-4)
    size = 1 + np.abs(fine).max()
    assume(size < 1e6)
    assume(np.abs(coarse - fine).max() < 1e-8 * size)  # else a kink is near, or the function too wild for differences
    run, gradient = run_of(text, ŷ, y), np.empty_like(ŷ)
    run.forward()
    np.copyto(run.differentiate(gradient), weights)
    run.backward()
    np.testing.assert_allclose(gradient, fine, rtol=1e-6, atol=1e-6 * size)


@given(EXPRESSIONS)
def test_a_mean_of_anything_is_a_loss_or_says_why_not(written: Written) -> None:
    text, reference = written
    try:
        loss = ExpressionLoss(f"mean(({text}) + 0ŷ)")
    except ValueError as error:
        assert "(at character" in str(error)  # noqa: PT017 - either outcome is right
        return
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(reference(*ROWS), (4, 3)).mean()
        value = loss.bind(*ROWS, np.empty((4, 3)), None)()
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.text(alphabet="xyŷ0123.+-*/^<>=!&|(),; dims=sumexpσ", max_size=40))
@settings(max_examples=120)
def test_any_text_is_an_expression_or_refused_with_a_position_inside(text: str) -> None:
    for written in (ExpressionLoss, ExpressionActivation):
        try:
            written(text)
        except ValueError as error:
            assert "(at character" in str(error)  # noqa: PT017 - either outcome is right


def test_every_function_is_tried() -> None:
    tried = " ".join(template for template, _ in [*UNARY.values(), *BINARY.values()]).replace("σ", "sigmoid")
    symbols = {"!=": "≠", "unary -": "(-"}
    assert [name for name in [*FUNCTIONS, *ROW_FUNCTIONS] if symbols.get(name, name) not in tried] == []
