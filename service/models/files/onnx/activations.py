"""Each activation as an ONNX formula; the definitions are in learning/layers/activations."""

import math
from collections.abc import Callable
from typing import Any

from service.learning.expressions import ExpressionActivation
from service.learning.layers.activations import (
    CELU,
    ELU,
    GELU_TANH_SCALE,
    SELU,
    SELU_ALPHA,
    SELU_LAMBDA,
    Activation,
    GELUErf,
    GELUSigmoid,
    GELUTanh,
    HardSigmoid,
    HardSwish,
    HardTanh,
    Identity,
    LeakyReLU,
    LiSHT,
    LogCosh,
    LogSigmoid,
    LogSoftmax,
    Mish,
    ReLU,
    ReLU6,
    Sigmoid,
    Softmax,
    Softplus,
    SoftShrink,
    Softsign,
    Swish,
    Tanh,
    TanhShrink,
    ThresholdedReLU,
    tanhshrink_near_0,
)
from service.models.files.onnx.expressions import expression
from service.models.files.onnx.functions import clip, erf, expm1, logcosh, sigmoid, softplus, tanh, where
from service.models.files.onnx.graph import Value

Formula = Callable[[Any, Value], Value]
"""The value of an activation f at x."""

FORMULAS: dict[type[Activation], Formula] = {
    Identity: lambda f, x: x,
    Tanh: lambda f, x: tanh(x),
    Sigmoid: lambda f, x: sigmoid(x),
    Softmax: lambda f, x: x.apply("Softmax", axis=1),
    LogSoftmax: lambda f, x: x.apply("LogSoftmax", axis=1),
    ExpressionActivation: lambda f, x: expression(f.expression, x),
    ReLU: lambda f, x: x.apply("Relu"),
    LeakyReLU: lambda f, x: where(x > 0, x, f.a * x),
    ReLU6: lambda f, x: clip(x, 0, 6),
    ThresholdedReLU: lambda f, x: where(x > f.theta, x, 0),
    ELU: lambda f, x: where(x > 0, x, f.alpha * expm1(x)),
    SELU: lambda f, x: SELU_LAMBDA * where(x > 0, x, SELU_ALPHA * expm1(x)),
    CELU: lambda f, x: where(x > 0, x, f.alpha * expm1(x / f.alpha)),
    HardTanh: lambda f, x: clip(x, -1, 1),
    HardSigmoid: lambda f, x: clip((x + 3) / 6, 0, 1),
    HardSwish: lambda f, x: x * clip((x + 3) / 6, 0, 1),
    SoftShrink: lambda f, x: x - clip(x, -f.lambda_, f.lambda_),
    LogSigmoid: lambda f, x: -softplus(-x),
    Softplus: lambda f, x: softplus(x),
    Softsign: lambda f, x: x / (1 + abs(x)),
    LogCosh: lambda f, x: logcosh(x),
    TanhShrink: lambda f, x: where(abs(x) > 0.25, x - tanh(x), tanhshrink_near_0(x)),
    LiSHT: lambda f, x: x * tanh(x),
    Swish: lambda f, x: x * sigmoid(x),
    Mish: lambda f, x: x * tanh(softplus(x)),
    GELUTanh: lambda f, x: x * sigmoid(GELU_TANH_SCALE * x * (1 + 0.044715 * x * x)),
    GELUSigmoid: lambda f, x: x * sigmoid(1.702 * x),
    GELUErf: lambda f, x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
}
