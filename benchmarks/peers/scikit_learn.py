"""scikit-learn's multi-layer perceptron: `partial_fit` is one pass of shuffled mini-batches."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier, MLPRegressor

RULES: dict[str, dict[str, Any]] = {
    "Descent": {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False},
    "Adam": {"solver": "adam"},
}


def epoch(
    sizes: Sequence[int],
    activation: str,
    rule: str,
    rate: float,
    batch_size: int,
    inputs: NDArray[Any],
    targets: NDArray[Any],
) -> Callable[[], float]:
    kind = MLPRegressor if targets.dtype == np.float32 else MLPClassifier
    model = kind(
        hidden_layer_sizes=tuple(sizes[1:-1]),
        activation=activation,
        batch_size=batch_size,
        learning_rate_init=rate,
        alpha=0.0,
        random_state=0,
        **RULES[rule],
    )
    targets = targets.ravel()
    classes = {} if kind is MLPRegressor else {"classes": np.arange(sizes[-1])}

    def mean_loss() -> float:
        return float(model.partial_fit(inputs, targets, **classes).loss_)

    return mean_loss
