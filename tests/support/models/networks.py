"""Networks and formulas that the tests of exported files share."""

import numpy as np

from service.learning.arrays import Array
from service.learning.network import Network

FORMULAS = [
    "x",
    "x + 2 - x / 3",
    "2x * -x",
    "abs(x) ^ 1.5",
    "max(x, 0.1, -x) + min(x, 0.2)",
    "clamp(x, -1, 0.5)",
    "abs2(x) + x ^ 3",
    "sign(x) * sqrt(abs(x))",
    "exp(-abs(x)) + expm1(x)",
    "log(1 + abs(x)) + log2(2 + abs(x)) + log10(3 + abs(x)) + log1p(abs(x))",
    "sin(x) + cos(2x)",
    "tan(x / 4)",
    "atan(x)",
    "sinh(x) + cosh(x)",
    "tanh(x) + sigmoid(x) + softplus(x) + relu(x)",
    "logcosh(x)",
    "ifelse(x > 0 && x <= 1 || !(x >= -1), x, -x)",
    "x * (x < 0.3) + (x == 0) + 2 * (x != 0)",
    "softmax(x) + logsoftmax(x)",
    "x / (1 + sum(abs(x); dims=1)) - mean(x; dims=1)",
]
"""Activations as clients write them, with every function of the language."""


def random_parameters(network: Network) -> Array:
    """Random parameters, none of them 0 or 1; variances are positive."""
    vector = np.random.default_rng(1).uniform(0.2, 1.2, network.vector_length).astype(network.dtype)
    vector[: network.parameter_count] *= np.random.default_rng(2).choice([-1, 1], network.parameter_count)
    return vector
