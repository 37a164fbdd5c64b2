"""Each activation as a formula of ONNX values; what they are is said where they are defined."""

import math
from collections.abc import Callable
from typing import Any

from service.learning.expressions import ExpressionActivation
from service.learning.layers.activations import (
    SELU_ALPHA,
    SELU_LAMBDA,
    Activation,
    Identity,
    LogSoftmax,
    Sigmoid,
    Softmax,
    Tanh,
    rectifiers,
    smooth,
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
    rectifiers.ReLU: lambda f, x: x.apply("Relu"),
    rectifiers.LeakyReLU: lambda f, x: where(x > 0, x, f.a * x),
    rectifiers.ReLU6: lambda f, x: clip(x, 0, 6),
    rectifiers.ThresholdedReLU: lambda f, x: where(x > f.theta, x, 0),
    rectifiers.ELU: lambda f, x: where(x > 0, x, f.alpha * expm1(x)),
    rectifiers.SELU: lambda f, x: SELU_LAMBDA * where(x > 0, x, SELU_ALPHA * expm1(x)),
    rectifiers.CELU: lambda f, x: where(x > 0, x, f.alpha * expm1(x / f.alpha)),
    rectifiers.HardTanh: lambda f, x: clip(x, -1, 1),
    rectifiers.HardSigmoid: lambda f, x: clip((x + 3) / 6, 0, 1),
    rectifiers.HardSwish: lambda f, x: x * clip((x + 3) / 6, 0, 1),
    rectifiers.SoftShrink: lambda f, x: x - clip(x, -f.lambda_, f.lambda_),
    smooth.LogSigmoid: lambda f, x: -softplus(-x),
    smooth.Softplus: lambda f, x: softplus(x),
    smooth.Softsign: lambda f, x: x / (1 + abs(x)),
    smooth.LogCosh: lambda f, x: logcosh(x),
    smooth.TanhShrink: lambda f, x: where(abs(x) > 0.25, x - tanh(x), smooth.tanhshrink_near_0(x)),
    smooth.LiSHT: lambda f, x: x * tanh(x),
    smooth.Swish: lambda f, x: x * sigmoid(x),
    smooth.Mish: lambda f, x: x * tanh(softplus(x)),
    smooth.GELUTanh: lambda f, x: x * sigmoid(smooth.GELU_TANH_SCALE * x * (1 + 0.044715 * x * x)),
    smooth.GELUSigmoid: lambda f, x: x * sigmoid(1.702 * x),
    smooth.GELUErf: lambda f, x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
}
