"""Loss and metrics of a linear layer on rows of which the sums alone are there."""

import numpy as np

from service.learning.arrays import Array
from service.learning.evaluation.evaluation import Evaluation
from service.learning.evaluation.metrics import metrics_of_sums
from service.learning.losses import Loss
from service.learning.network import Network
from service.learning.rows.gram import Gram, Root

ROUNDING_OF_SUMS = 1e-12
"""Of the terms of a sum of squares: a sum below is rounding, and counts as none."""
CANCELLING = 1e-3
"""Of the same: below, the root of the sums keeps digits that a sum of terms would lose. It takes longer."""


def evaluated_by_sums(network: Network, vector: Array, gram: Gram, loss: Loss) -> Evaluation:
    """Return the evaluation of one identity `Dense` and a quadratic loss; `mae` and `max_error` are None.

    With the features f and residuals r of the sums, the error is ŷ - y = A f + c - r; y is a sum of the same kind.
    """
    reference, ones = gram.reference, gram.inputs
    split = network.inputs * network.outputs
    exact = vector.astype(np.float64)
    weights = exact[:split].reshape(network.inputs, network.outputs)
    centre = reference.mean @ weights + (exact[split:] if len(exact) > split else 0.0) - reference.level

    def in_features(slopes: Array) -> Array:
        found: Array = slopes if reference.inverse is None else reference.inverse @ slopes
        return found

    own = np.vstack([in_features(weights - reference.fit), centre])
    residuals = np.eye(gram.outputs)
    errors = np.vstack([own, -residuals])
    targets = np.vstack([in_features(reference.fit), np.zeros((1, gram.outputs)), residuals])
    squares, terms = _quadratic(errors, gram.matrix), _quadratic(abs(errors), abs(gram.matrix))
    if (squares <= CANCELLING * terms).any():
        root = Root.of(gram.matrix, gram.inputs)
        squares = np.square(root.K @ own - root.q).sum(axis=0) + root.rest
    of_mean = [np.square(gram.matrix[ones] @ each) / gram.rows for each in (errors, targets)]
    about_mean = _above_rounding(squares - of_mean[0], squares)
    spread = _above_rounding(_quadratic(targets, gram.matrix) - of_mean[1], _quadratic(abs(targets), abs(gram.matrix)))
    metrics = metrics_of_sums(gram.rows, squares, about_mean, spread)
    elements = gram.rows * gram.outputs if loss.agg == "sum" else 1
    return Evaluation(loss.quadratic * float(squares.mean() / gram.rows) * elements, [metrics], [])


def _quadratic(columns: Array, matrix: Array) -> Array:
    """Return cᵀ G c of each column."""
    found: Array = (columns * (matrix @ columns)).sum(axis=0)
    return found


def _above_rounding(sums: Array, terms: Array) -> Array:
    found: Array = np.where(sums > ROUNDING_OF_SUMS * terms, sums, 0.0)
    return found
