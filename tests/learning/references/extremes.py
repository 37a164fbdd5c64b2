"""Definitions of activations, losses and functions of formulas, word for word, for numbers of any size.

At kinks the derivative is the service's: 0, or where one piece holds the point that piece's.
"""

from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp, mpf

from tests.learning.references.duals import Number, atan, cos, cosh, erfc, exp, log, sin, sinh, sqrt, tan, tanh

Row = Sequence[Number]


def sigmoid(x: Number) -> Number:
    return 1 / (1 + exp(-x))


def softplus(x: Number) -> Number:
    return log(1 + exp(x))


def clip(x: Number, low: float, high: float) -> Number:
    """With the derivative 0 at the ends."""
    return x if low < x.value < high else 0 * x + min(max(x.value, low), high)


def exponential_unit(x: Number, scale: Any = 1) -> Number:
    return x if x.value > 0 else scale * (exp(x) - 1)


SELU_LAMBDA, SELU_ALPHA = mpf("1.0507009873554804934193349852946"), mpf("1.6732632423543772848170429916717")

ACTIVATIONS: dict[str, Callable[[Number], Number]] = {
    "identity": lambda x: x,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "logsigmoid": lambda x: -softplus(-x),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "logcosh": lambda x: log(cosh(x)),
    "tanhshrink": lambda x: x - tanh(x),
    "lisht": lambda x: x * tanh(x),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * tanh(softplus(x)),
    "gelu_tanh": lambda x: x * (1 + tanh(mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x * x * x))) / 2,
    "gelu_sigmoid": lambda x: x * sigmoid(mpf("1.702") * x),
    "gelu_erf": lambda x: x * erfc(-x / mp.sqrt(2)) / 2,
    "relu": lambda x: x if x.value > 0 else 0 * x,
    "leakyrelu": lambda x: x if x.value > 0 else mpf("0.01") * x,
    "relu6": lambda x: clip(x, 0, 6),
    "trelu": lambda x: x if x.value > 1 else 0 * x,
    "elu": exponential_unit,
    "selu": lambda x: SELU_LAMBDA * exponential_unit(x, SELU_ALPHA),
    "celu": exponential_unit,
    "hardtanh": lambda x: clip(x, -1, 1),
    "hardsigmoid": lambda x: clip(x + 3, 0, 6) / 6,
    "hardswish": lambda x: x if x.value >= 3 else x * clip(x + 3, 0, 6) / 6,
    "softshrink": lambda x: x - mp.sign(x.value) / 2 if abs(x.value) > 0.5 else 0 * x,
}

REAL = {
    "abs(x)": abs,
    "abs2(x)": lambda x: x * x,
    "exp(x)": exp,
    "expm1(x)": lambda x: exp(x) - 1,
    "sin(x)": sin,
    "cos(x)": cos,
    "tan(x)": tan,
    "atan(x)": atan,
    "sinh(x)": sinh,
    "cosh(x)": cosh,
    "tanh(x)": tanh,
    "sigmoid(x)": sigmoid,
    "softplus(x)": softplus,
    "logcosh(x)": lambda x: log(cosh(x)),
    "relu(x)": lambda x: x if x.value > 0 else 0 * x,
    "max(x, 1)": lambda x: x if x.value >= 1 else 0 * x + 1,
    "min(x, 1)": lambda x: x if x.value <= 1 else 0 * x + 1,
    "x ^ 0": lambda x: 0 * x + 1,
    "2 ^ x": lambda x: exp(mp.log(2) * x),
    "x / 3": lambda x: x / 3,
}
POSITIVE = {
    "log(x)": log,
    "log2(x)": lambda x: log(x) / mp.log(2),
    "log10(x)": lambda x: log(x) / mp.log(10),
    "log1p(x)": lambda x: log(1 + x),
    "sqrt(x)": sqrt,
    "x ^ 1.5": lambda x: x**1.5,
    "1 / x": lambda x: 1 / x,
}


def softmax(x: Row) -> list[Number]:
    return [1 / sum(exp(other - each) for other in x) for each in x]


def logsoftmax(x: Row) -> list[Number]:
    return [-log(sum(exp(other - each) for other in x)) for each in x]


def at_most_1(p: Number) -> Number:
    return p if p.value < 1 else 0 * p + 1


def unless_0(factor: Any, term: Callable[[], Number]) -> Number:
    """factor · term, and 0 where the factor is 0, whatever the term may be."""
    return factor * term() if factor else mpf(0)


def huber(p: Number, y: Any, delta: Any) -> Number:
    e = abs(p - y)
    return e * e / 2 if e.value < delta else delta * (e - delta / 2)


def focal(p: Number, gamma: float) -> Number:
    return -((1 - p) ** gamma) * log(p) if p.value < 1 else 0 * p


def above_0(x: Number) -> Number:
    return x if x.value > 0 else 0 * x


def overlap(p: Row, y: Sequence[Any]) -> Number:
    return sum((each * other for each, other in zip(p, y, strict=True)), mpf(0))


def logitcrossentropy(p: Row, y: Sequence[Any]) -> Number:
    chosen = [(label, term) for label, term in zip(y, logsoftmax(p), strict=True) if label]
    return -sum((label * term for label, term in chosen), mpf(0))


def dice(p: Row, y: Sequence[Any], smooth: float) -> Number:
    return 1 - (2 * overlap(p, y) + smooth) / (overlap(y, y) + overlap(p, p) + smooth)


def tversky(p: Row, y: Sequence[Any], beta: Any) -> Number:
    return 1 - (overlap(p, y) + 1) / (beta * sum(p, mpf(0)) + (1 - beta) * sum(y) + 1)


ELEMENTS: dict[str, Callable[[Number, Any, Any], Number]] = {
    "mse": lambda p, y, eps: (p - y) * (p - y),
    "mae": lambda p, y, eps: abs(p - y),
    "msle": lambda p, y, eps: log((p + eps) / (y + eps)) ** 2,
    "huber_loss": lambda p, y, eps: huber(p, y, mpf(1)),
    "poisson_loss": lambda p, y, eps: p - unless_0(y, lambda: log(p)),
    "hinge_loss": lambda p, y, eps: above_0(1 - p * y),
    "squared_hinge_loss": lambda p, y, eps: above_0(1 - p * y) ** 2,
    "siamese_contrastive_loss": lambda p, y, eps: (1 - y) * p * p + y * above_0(1 - p) ** 2,
    "logitbinarycrossentropy": lambda p, y, eps: (1 - y) * p + softplus(-p),
    "binarycrossentropy": lambda p, y, eps: (
        -unless_0(y, lambda: log(at_most_1(p + eps))) - unless_0(1 - y, lambda: log(at_most_1(1 - p + eps)))
    ),
    "binary_focal_loss": lambda p, y, eps: focal(at_most_1(y * p + (1 - y) * (1 - p) + eps), 2),
    "crossentropy": lambda p, y, eps: -unless_0(y, lambda: log(at_most_1(p + eps))),
    "kldivergence": lambda p, y, eps: unless_0(y, lambda: log((y + eps) / (p + eps))),
    "focal_loss": lambda p, y, eps: unless_0(y, lambda: focal(at_most_1(p + eps), 2)),
}
"""Losses of one number ŷ and one number y, ϵ the dtype's precision."""

ROWS: dict[str, Callable[[Row, Sequence[Any]], Number]] = {
    "logitcrossentropy": logitcrossentropy,
    "dice_coeff_loss": lambda p, y: dice(p, y, 1),
    "tversky_loss": lambda p, y: tversky(p, y, mpf("0.7")),
}
"""Losses of one row."""
