"""Functions of operators that onnxruntime has in float32 and float64, in forms that keep all digits."""

import numpy as np
from onnx import TensorProto

from service.models.files.onnx.graph import Operand, Value


def where(condition: Value, a: Operand, b: Operand) -> Value:
    """a where the condition is true, else b."""
    return condition.apply("Where", a, b)


def clip(x: Value, low: float, high: float) -> Value:
    return x.apply("Clip", low, high)


def as_numbers(condition: Value) -> Value:
    """1 for true, 0 for false."""
    return condition.apply("Cast", to=condition.graph.element_type)


def as_condition(numbers: Value) -> Value:
    """Whether they differ from 0."""
    return numbers.apply("Cast", to=TensorProto.BOOL)


def exp(x: Value) -> Value:
    return x.apply("Exp")


def tanh(x: Value) -> Value:
    return x.apply("Tanh")


def sigmoid(x: Value) -> Value:
    return x.apply("Sigmoid")


def expm1(x: Value) -> Value:
    """exp(x) - 1 = tanh(x/2) (exp(x) + 1), which keeps all digits about 0."""
    return tanh(0.5 * x) * (exp(x) + 1)


def log1p(x: Value) -> Value:
    """log(1 + x) = log(w) x / (w - 1) with w = 1 + x as rounded, and x where w is 1.

    D. Goldberg, "What Every Computer Scientist Should Know About Floating-Point Arithmetic", 1991, theorem 4.
    """
    w = 1 + x
    is_one = w.apply("Equal", 1.0)
    return where(is_one, x, w.apply("Log") * x / where(is_one, 1.0, w - 1))


def softplus(x: Value) -> Value:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))"""
    return x.apply("Relu") + log1p(exp(-abs(x)))


def logcosh(x: Value) -> Value:
    """log(1 + 2 sinh²(b/2)) + |x| - b, b = min(|x|, 20)"""
    size = abs(x)
    near = size.apply("Min", 20.0)
    root = sinh(0.5 * near)
    return log1p(2 * root * root) + (size - near)


def tan(x: Value) -> Value:
    return x.apply("Sin") / x.apply("Cos")


def sinh(x: Value) -> Value:
    """(exp(x) - exp(-x)) / 2 = (expm1(x) - expm1(-x)) / 2"""
    return 0.5 * (expm1(x) - expm1(-x))


def cosh(x: Value) -> Value:
    return 0.5 * (exp(x) + exp(-x))


def sum_of_rows(x: Value) -> Value:
    """Σⱼ xᵢⱼ as rows × 1."""
    return x.apply("ReduceSum", x.graph.constant("columns", np.array([1])), keepdims=1)


def mean_of_rows(x: Value) -> Value:
    """Return the mean of each row, as rows × 1."""
    return x.apply("ReduceMean", axes=[1], keepdims=1)


def single(operator: str, x: Value) -> Value:
    """Apply a function that onnxruntime has in float32 alone: float64 gets its seven digits, too."""
    if x.graph.element_type == TensorProto.FLOAT:
        return x.apply(operator)
    return x.apply("Cast", to=TensorProto.FLOAT).apply(operator).apply("Cast", to=x.graph.element_type)


def erf(x: Value) -> Value:
    return single("Erf", x)


def atan(x: Value) -> Value:
    return single("Atan", x)
