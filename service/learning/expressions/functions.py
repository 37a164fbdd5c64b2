"""The functions of written expressions, each with its values and its pull-backs, on prepared buffers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.learning.arrays import AnyArray, exponentials
from service.learning.layers.activations import logcosh, sigmoid, softplus

WriteValues = Callable[..., object]  # (*arguments, out)
WriteGradient = Callable[..., object]  # (out, g, y, *arguments): write g · ∂y/∂argument to out, which is of g's shape


@dataclass(frozen=True, slots=True)
class Function:
    """One elementwise function: its values, and for each argument how a gradient goes back (None: it is flat in it).

    Arguments are arrays or plain numbers. `condition`: its values are 1 and 0 for true and false.
    """

    evaluate: WriteValues
    pull_backs: tuple[WriteGradient | None, ...]
    condition: bool = False

    @property
    def arity(self) -> int:
        return len(self.pull_backs)


def scaled(slope: Callable[..., Any]) -> WriteGradient:
    """Return the pull-back of a function whose slope is a short formula of (y, *arguments)."""

    def pull_back(out: AnyArray, g: AnyArray, y: AnyArray, *arguments: AnyArray) -> None:
        np.multiply(g, slope(y, *arguments), out=out)

    return pull_back


def pass_on(out: AnyArray, g: AnyArray, *_: Any) -> None:
    np.copyto(out, g)


def turn(out: AnyArray, g: AnyArray, *_: Any) -> None:
    np.negative(g, out=out)


def by_tanh(out: AnyArray, g: AnyArray, y: AnyArray, _: Any) -> None:
    np.multiply(y, y, out=out)
    np.subtract(1, out, out=out)
    np.multiply(g, out, out=out)


def by_sigmoid(out: AnyArray, g: AnyArray, y: AnyArray, _: Any) -> None:
    np.subtract(1, y, out=out)
    np.multiply(y, out, out=out)
    np.multiply(g, out, out=out)


def by_abs2(out: AnyArray, g: AnyArray, y: AnyArray, x: AnyArray) -> None:
    np.multiply(g, x, out=out)
    np.add(out, out, out=out)


def by_base(y: AnyArray, a: AnyArray, b: AnyArray | float) -> AnyArray:
    """b a^(b-1), and 0 where b is 0, whatever a may be."""
    if isinstance(b, float):
        return b * np.power(a, b - 1) if b else np.zeros_like(a)
    return np.where(np.equal(b, 0), 0, b * np.power(a, np.subtract(b, 1)))


def by_exponent(y: AnyArray, a: AnyArray, b: AnyArray) -> AnyArray:
    """a^b log a, and 0 where a^b is 0."""
    return np.where(y == 0, 0, y * np.log(a))


def choose(condition: AnyArray, a: AnyArray, b: AnyArray, out: AnyArray) -> None:
    np.copyto(out, b)
    np.copyto(out, a, where=np.not_equal(condition, 0))


def where_true(out: AnyArray, g: AnyArray, y: AnyArray, condition: AnyArray, *_: Any) -> None:
    np.multiply(g, np.not_equal(condition, 0), out=out)


def where_false(out: AnyArray, g: AnyArray, y: AnyArray, condition: AnyArray, *_: Any) -> None:
    np.multiply(g, np.equal(condition, 0), out=out)


def softmax(x: AnyArray, out: AnyArray) -> None:
    np.subtract(x, x.max(axis=1, keepdims=True), out=out)
    np.exp(out, out=out)
    np.divide(out, out.sum(axis=1, keepdims=True), out=out)


def by_softmax(out: AnyArray, g: AnyArray, y: AnyArray, _: Any) -> None:
    np.multiply(g, y, out=out)
    np.subtract(g, out.sum(axis=1, keepdims=True), out=out)
    np.multiply(out, y, out=out)


def logsoftmax(x: AnyArray, out: AnyArray) -> None:
    z, _, rest = exponentials(x)
    np.subtract(z, np.log1p(rest), out=out)


def by_logsoftmax(out: AnyArray, g: AnyArray, y: AnyArray, _: Any) -> None:
    np.exp(y, out=out)
    np.multiply(out, g.sum(axis=1, keepdims=True), out=out)
    np.subtract(g, out, out=out)


# Where two arguments of max or min are equal the first takes the gradient; at other kinks it is 0, as for abs and sign.
FUNCTIONS: dict[str, Function] = {
    "+": Function(np.add, (pass_on, pass_on)),
    "-": Function(np.subtract, (pass_on, turn)),
    "*": Function(np.multiply, (scaled(lambda y, a, b: b), scaled(lambda y, a, b: a))),
    "/": Function(
        np.divide,
        (lambda out, g, y, a, b: np.divide(g, b, out=out), scaled(lambda y, a, b: -y / b)),
    ),
    "^": Function(np.power, (scaled(by_base), scaled(by_exponent))),
    "unary -": Function(np.negative, (turn,)),
    "max": Function(
        np.maximum, (scaled(lambda y, a, b: np.greater_equal(a, b)), scaled(lambda y, a, b: np.less(a, b)))
    ),
    "min": Function(
        np.minimum, (scaled(lambda y, a, b: np.less_equal(a, b)), scaled(lambda y, a, b: np.greater(a, b)))
    ),
    "abs": Function(np.abs, (scaled(lambda y, x: np.sign(x)),)),
    "abs2": Function(np.square, (by_abs2,)),
    "sign": Function(np.sign, (None,)),
    "sqrt": Function(np.sqrt, (scaled(lambda y, x: 0.5 / y),)),
    "exp": Function(np.exp, (scaled(lambda y, x: y),)),
    "expm1": Function(np.expm1, (scaled(lambda y, x: np.exp(x)),)),
    "log": Function(np.log, (lambda out, g, y, x: np.divide(g, x, out=out),)),
    "log2": Function(np.log2, (scaled(lambda y, x: float(1 / np.log(2)) / x),)),
    "log10": Function(np.log10, (scaled(lambda y, x: float(1 / np.log(10)) / x),)),
    "log1p": Function(np.log1p, (scaled(lambda y, x: 1 / (1 + x)),)),
    "sin": Function(np.sin, (scaled(lambda y, x: np.cos(x)),)),
    "cos": Function(np.cos, (scaled(lambda y, x: -np.sin(x)),)),
    "tan": Function(np.tan, (scaled(lambda y, x: 1 + y * y),)),
    "atan": Function(np.arctan, (scaled(lambda y, x: 1 / (1 + x * x)),)),
    "sinh": Function(np.sinh, (scaled(lambda y, x: np.cosh(x)),)),
    "cosh": Function(np.cosh, (scaled(lambda y, x: np.sinh(x)),)),
    "tanh": Function(np.tanh, (by_tanh,)),
    "sigmoid": Function(sigmoid, (by_sigmoid,)),
    "softplus": Function(softplus, (scaled(lambda y, x: sigmoid(x)),)),
    "logcosh": Function(logcosh, (scaled(lambda y, x: np.tanh(x)),)),
    "relu": Function(lambda x, out: np.maximum(x, 0, out=out), (scaled(lambda y, x: np.greater(x, 0)),)),
    "<": Function(np.less, (None, None), condition=True),
    "<=": Function(np.less_equal, (None, None), condition=True),
    ">": Function(np.greater, (None, None), condition=True),
    ">=": Function(np.greater_equal, (None, None), condition=True),
    "==": Function(np.equal, (None, None), condition=True),
    "!=": Function(np.not_equal, (None, None), condition=True),
    "&&": Function(np.logical_and, (None, None), condition=True),
    "||": Function(np.logical_or, (None, None), condition=True),
    "!": Function(np.logical_not, (None,), condition=True),
    "ifelse": Function(choose, (None, where_true, where_false)),
}
ROW_FUNCTIONS: dict[str, Function] = {
    "softmax": Function(softmax, (by_softmax,)),
    "logsoftmax": Function(logsoftmax, (by_logsoftmax,)),
}
REDUCTIONS = ("sum", "mean")
CONSTANTS = {"pi": math.pi, "π": math.pi, "ℯ": math.e}
ALIASES = {"σ": "sigmoid"}
