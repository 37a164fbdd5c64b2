from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.learning.expressions import (
    ExpressionActivation,
    ExpressionLoss,
    compile_activation,
    compile_loss,
)
from service.learning.layers import Dense
from service.learning.layers.activations import ACTIVATIONS, sigmoid
from service.learning.losses import LOSSES, Loss
from service.learning.terms import TermError, UnreadableText, hints

Array = NDArray[Any]
RNG = np.random.default_rng(3)
PREDICTED, TARGETS = RNG.normal(size=(7, 3)), RNG.normal(size=(7, 3))
WEIGHTS = RNG.uniform(0.5, 1.5, size=(7, 1))

SEPARABLE = [
    "mean(abs2(ŷ - y))",
    "sum(abs(yhat - target))",
    "mean(abs2(ŷ - y)) + 0.1mean(abs(ŷ - y)) - 2",
    "mean(abs2(prediction)) / 2 + mean(sum(ŷ; dims=1)^2)",
    "-mean(sum(softmax(y) .* logsoftmax(ŷ); dims=1))",
    "sum(ifelse(abs(ŷ - y) < 1, 0.5abs2(ŷ - y), abs(ŷ - y) - 0.5))",
    "3 * (1 - mean(ŷ * y)) / 2",
]
WHOLE = [
    "sqrt(mean(abs2(ŷ - y)))",
    "1 - 2sum(ŷ * y) / (sum(ŷ^2) + sum(y^2))",
    "mean(abs2(ŷ - mean(ŷ)))",
    "sum(ŷ^2) + mean(ŷ)",
    "sum(ŷ^2) + 1",
    "sum(ŷ) + sum(sum(ŷ; dims=1)^3)",
]


def gradient_of(loss: Loss, ŷ: Array, y: Array, weights: Array | None = None) -> tuple[float, Array]:
    gradient = np.empty_like(ŷ)
    return loss.bind(ŷ, y, gradient, weights)(), gradient


def differences(loss: Loss, ŷ: Array, y: Array, weights: Array | None = None, h: float = 1e-5) -> Array:
    out = np.empty_like(ŷ)
    for place in np.ndindex(*ŷ.shape):
        up, down = ŷ.copy(), ŷ.copy()
        up[place] += h
        down[place] -= h
        out[place] = (gradient_of(loss, up, y, weights)[0] - gradient_of(loss, down, y, weights)[0]) / (2 * h)
    return out


@pytest.mark.parametrize("name", ["mse", "logitcrossentropy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_written_loss_is_the_named_one(name: str, dtype: type[np.floating]) -> None:
    written = {"mse": "mean((ŷ - y)^2)", "logitcrossentropy": "mean(-sum(y * logsoftmax(ŷ); dims=1))"}[name]
    ŷ, y = PREDICTED.astype(dtype), TARGETS.astype(dtype)
    for weights in (None, WEIGHTS.astype(dtype)):
        loss, gradient = gradient_of(ExpressionLoss(written), ŷ, y, weights)
        expected, slope = gradient_of(LOSSES[name](), ŷ, y, weights)
        assert gradient.dtype == dtype
        rounding = float(np.finfo(dtype).eps)
        assert loss == pytest.approx(expected, rel=20 * rounding)
        np.testing.assert_allclose(gradient, slope, rtol=50 * rounding, atol=5 * rounding)


@pytest.mark.parametrize("text", SEPARABLE + WHOLE)
def test_gradients_agree_with_central_differences(text: str) -> None:
    loss = ExpressionLoss(text)
    _, gradient = gradient_of(loss, PREDICTED, TARGETS)
    np.testing.assert_allclose(gradient, differences(loss, PREDICTED, TARGETS), rtol=1e-6, atol=1e-8)
    if loss.separable:
        _, gradient = gradient_of(loss, PREDICTED, TARGETS, WEIGHTS)
        np.testing.assert_allclose(gradient, differences(loss, PREDICTED, TARGETS, WEIGHTS), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("text", SEPARABLE)
def test_a_separable_loss_adds_up_over_blocks_and_weights_its_rows(text: str) -> None:
    loss = ExpressionLoss(text)
    assert loss.separable
    assert loss.agg == ("sum" if text.startswith("sum") else "mean")
    weights = WEIGHTS / WEIGHTS.mean()
    total, weighted = loss.total(), loss.total()
    for rows in (slice(0, 2), slice(2, 7)):
        total.add(PREDICTED[rows], TARGETS[rows])
        weighted.add(PREDICTED[rows], TARGETS[rows], weights[rows])
    assert total.value == pytest.approx(gradient_of(loss, PREDICTED, TARGETS)[0], rel=1e-12)
    assert weighted.value == pytest.approx(gradient_of(loss, PREDICTED, TARGETS, weights)[0], rel=1e-12)
    once = np.repeat(PREDICTED, [2, *[1] * 6], axis=0), np.repeat(TARGETS, [2, *[1] * 6], axis=0)
    twice = loss.total()
    twice.add(PREDICTED, TARGETS, np.array([[2.0], *[[1.0]] * 6]))
    assert twice.value == pytest.approx(gradient_of(loss, *once)[0], rel=1e-12)


def test_sums_and_multiples_of_means_have_the_value_that_they_say() -> None:
    e = PREDICTED - TARGETS
    values = {
        "mean(abs2(ŷ - y)) - 0.1mean(abs(ŷ - y)) - 2": np.square(e).mean() - 0.1 * np.abs(e).mean() - 2,
        "3 * (1 - mean(ŷ * y)) / 2": 1.5 * (1 - (PREDICTED * TARGETS).mean()),
        "-(sum(ŷ^2) - sum(ŷ * y)) / 4": -(np.square(PREDICTED) - PREDICTED * TARGETS).sum() / 4,
        "mean(ŷ) / mean(y)": PREDICTED.mean() / TARGETS.mean(),
        "2 / mean(ŷ)": 2 / PREDICTED.mean(),
    }
    for text, value in values.items():
        assert gradient_of(ExpressionLoss(text), PREDICTED, TARGETS)[0] == pytest.approx(value, rel=1e-12)


def test_slope_is_the_gradient_of_the_summed_terms() -> None:
    loss = ExpressionLoss("mean(abs2(ŷ - y))")
    np.testing.assert_allclose(loss.terms(PREDICTED, TARGETS), np.square(PREDICTED - TARGETS))
    np.testing.assert_allclose(loss.slope(PREDICTED, TARGETS), 2 * (PREDICTED - TARGETS))


@pytest.mark.parametrize("text", WHOLE)
def test_a_loss_that_does_not_add_up_sees_all_rows_and_refuses_weights(text: str) -> None:
    loss = ExpressionLoss(text)
    assert not loss.separable
    total = loss.total()
    total.add(PREDICTED[:2], TARGETS[:2])
    total.add(PREDICTED[2:], TARGETS[2:])
    assert total.value == pytest.approx(gradient_of(loss, PREDICTED, TARGETS)[0], rel=1e-12)
    with pytest.raises(ValueError, match="weights"):
        loss.bind(PREDICTED, TARGETS, np.empty_like(PREDICTED), WEIGHTS)
    with pytest.raises(ValueError, match="weights"):
        total.add(PREDICTED, TARGETS, WEIGHTS)


def test_buffers_may_change_between_evaluations() -> None:
    ŷ, y, gradient = PREDICTED.copy(), TARGETS.copy(), np.empty_like(PREDICTED)
    evaluate = ExpressionLoss("mean(abs2(ŷ - y))").bind(ŷ, y, gradient, None)
    evaluate()
    np.copyto(ŷ, 2 * PREDICTED)
    assert evaluate() == pytest.approx(np.square(2 * PREDICTED - TARGETS).mean())
    np.testing.assert_allclose(gradient, 2 * (2 * PREDICTED - TARGETS) / 21)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("ŷ - y", 2, r"one for each element: wrap it in mean\(...\)"),
        ("sum(ŷ; dims=1)", 0, r"one for each row: wrap it in mean\(...\)"),
        ("mean(y)", 0, "gradient with respect to the prediction"),
        ("mean(ŷ > y)", 0, "gradient with respect to the prediction"),
        ("mean(yhta - y)", 5, "unknown name 'yhta': did you mean 'yhat'"),
        ("mean(sqroot(ŷ))", 5, "unknown function 'sqroot': did you mean 'sqrt'"),
        ("mean(exp)", 5, r"exp is a function: write exp\(...\)"),
        ("mean(x)", 5, "there are ŷ, yhat"),
        ("mean(__import__(ŷ))", 5, "unknown function"),
        ("mean(ŷ, y)", 0, "mean takes one argument, not 2"),
        ("mean(max(ŷ))", 5, "max takes two arguments, not 1"),
        ("mean(clamp(ŷ, 0))", 5, "clamp takes three arguments, not 2"),
        ("mean(exp(ŷ; dims=1))", 5, "exp takes no dims"),
        ("mean(ifelse(ŷ, 1, 2))", 5, "ifelse needs a condition"),
        ("mean(ŷ * (ŷ && y))", 12, "&& needs a condition"),
        ("mean(ŷ) + log(-1)", 10, "not a finite number"),
        ("mean(softmax(sum(ŷ; dims=1)))", 5, "this has none"),
    ],
)
def test_a_loss_without_meaning_is_refused_at_the_character_at_fault(text: str, position: int, words: str) -> None:
    with pytest.raises(UnreadableText, match=words) as refused:
        compile_loss(text)
    assert refused.value.position == position
    with pytest.raises(TermError, match=words) as wrapped:
        ExpressionLoss(text)
    assert wrapped.value.field == "expression"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mean(x)", "dims=1"),
        ("x - sum(x)", "dims=1"),
        ("2", "a value for each x"),
        ("x > 0", "and a slope"),
        ("sum(x; dims=1)", "a value for each x"),
        ("y", "unknown name 'y'"),
    ],
)
def test_an_activation_without_meaning_is_refused(text: str, words: str) -> None:
    with pytest.raises(UnreadableText, match=words):
        compile_activation(text)
    with pytest.raises(TermError, match=words):
        ExpressionActivation(text)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("text", "name"), [("x", "identity"), ("max(x, 0)", "relu"), ("tanh(x)", "tanh"), ("1/(1+exp(-x))", "sigmoid")]
)
def test_a_written_activation_is_the_named_one(text: str, name: str, dtype: type[np.floating]) -> None:
    x = PREDICTED.astype(dtype)
    written, named = ExpressionActivation(text), ACTIVATIONS[name]()
    y = written.value(x)
    assert y.dtype == dtype
    rounding = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(y, named.value(x), rtol=10 * rounding)
    np.testing.assert_allclose(written.slope(x, y), named.slope(x, named.value(x)), rtol=50 * rounding)


def test_an_activation_pulls_any_gradient_back_in_place() -> None:
    x, y = PREDICTED.copy(), np.empty_like(PREDICTED)
    activate, pull_back = ExpressionActivation("x * sigmoid(x)").bind(x, y)
    for scale in (1.0, 3.0):
        np.copyto(x, scale * PREDICTED)
        activate()
        np.testing.assert_allclose(y, x * sigmoid(x))
        dy = TARGETS.copy()
        pull_back(dy)
        s = sigmoid(x)
        np.testing.assert_allclose(dy, TARGETS * (s + x * s * (1 - s)), rtol=1e-12)


def test_an_activation_over_whole_rows_is_a_layer_of_its_own() -> None:
    written, named = ExpressionActivation("softmax(x)"), ACTIVATIONS["softmax"]()
    assert written.whole_row
    assert not ExpressionActivation("x * sigmoid(x)").whole_row
    with pytest.raises(TermError, match="whole row"):
        Dense(2, 3, written)
    gradients = []
    for activation in (written, named):
        y, dy = np.empty_like(PREDICTED), TARGETS.copy()
        activate, pull_back = activation.bind(PREDICTED.copy(), y)
        activate()
        pull_back(dy)
        gradients.append((y, dy))
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-12, atol=1e-15)


def test_the_formula_is_the_only_field() -> None:
    assert list(hints(ExpressionLoss)) == ["expression"]
    assert list(hints(ExpressionActivation)) == ["expression"]
    assert ExpressionLoss("mean(ŷ)") == ExpressionLoss("mean(ŷ)") != ExpressionLoss("sum(ŷ)")


def test_what_is_written_twice_is_computed_once() -> None:
    assert len(compile_loss("mean(abs2(ŷ - y) + exp(ŷ - y) * (ŷ - y))").steps) == 5
