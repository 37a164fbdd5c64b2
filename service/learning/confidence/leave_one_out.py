"""Leave-one-out residuals of a least-squares fit, without fitting anew: e / (1 - h), with h the leverage of a row.

h = u G⁺ uᵀ for the row u of the design; G⁺ comes from the factor of the Gram matrix, without the directions that no row
has. Intervals by the jackknife+: R. F. Barber, E. J. Candès, A. Ramdas, R. J. Tibshirani, "Predictive inference with
the jackknife+", 2021.
"""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Array, Matrix
from service.learning.confidence.conformal import quantiles
from service.learning.layers import Dense
from service.learning.network import Network
from service.learning.rows.gram import Gram
from service.learning.rows.group_sums import BLOCK_BYTES
from service.learning.rows.reference import EPSILON
from service.learning.training.quadratic.form import QuadraticLoss
from service.learning.training.quadratic.path import single_dense

OPTIMAL = 1e-9
"""Share of the least loss by which a fit may be above it."""
DECIDING = 1e-12
"""Distance of a leverage from 1 within which a row decides its own prediction: nothing is known without it."""


@dataclass(frozen=True)
class Fit:
    """A network of one identity Dense as a least-squares fit of the rows of a Gram matrix."""

    weight: Matrix
    """inputs × outputs"""
    bias: Matrix
    centre: Matrix
    """Subtracted from inputs (inputs) before `factor`; zeros without a bias."""
    factor: Matrix
    """Makes of a row of the design, [inputs - centre, 1] or inputs, the one whose square is its leverage."""
    has_bias: bool

    def outputs(self, inputs: Array) -> Matrix:
        found: Matrix = inputs.astype(np.float64) @ self.weight + self.bias
        return found

    def projected(self, inputs: Array) -> Matrix:
        """Return rows (rows × rank) whose products are those of the design by G⁺."""
        design = inputs.astype(np.float64) - self.centre
        if self.has_bias:
            design = np.hstack([design, np.ones((len(design), 1))])
        found: Matrix = design @ self.factor
        return found

    def residuals(self, inputs: Array, targets: Array) -> Matrix:
        """Return (y - ŷ) / (1 - h) of training rows (rows × outputs); nan where a row decides its own prediction."""
        rest = 1 - np.square(self.projected(inputs)).sum(axis=1, keepdims=True)
        with np.errstate(all="ignore"):
            found: Matrix = np.where(rest > DECIDING, (targets - self.outputs(inputs)) / rest, np.nan)
        return found

    def jackknife_plus(self, inputs: Array, seen: Array, residuals: Matrix, level: float) -> tuple[Matrix, Matrix]:
        """Return the bounds (rows × outputs) for new rows, from all training rows `seen` and their residuals."""
        known, outputs = self.projected(seen), self.outputs(inputs)
        lower, upper = np.empty_like(outputs), np.empty_like(outputs)
        at_once = max(1, BLOCK_BYTES // (8 * len(seen)))
        for start in range(0, len(inputs), at_once):
            rows = slice(start, start + at_once)
            shares = known @ self.projected(inputs[rows]).T
            for output in range(outputs.shape[1]):
                own = residuals[:, output : output + 1]
                without, size = outputs[rows, output] - shares * own, np.abs(own)
                upper[rows, output] = quantiles(without + size, level)
                lower[rows, output] = -quantiles(size - without, level)
        return lower, upper


def fit_of(network: Network, vector: Array, gram: Gram) -> Fit | None:
    """Return a network's fit of these rows; None where it is no linear one, or not at its optimum."""
    dense = single_dense(network.layer)
    if dense is None or dense.activation.name != "identity":
        return None
    split, has_bias = network.inputs * network.outputs, dense.bias is not False
    weight = vector[:split].astype(np.float64).reshape(network.inputs, network.outputs)
    bias = vector[split:].astype(np.float64) if has_bias else np.zeros(network.outputs)
    form = QuadraticLoss(gram, bias=has_bias)
    loss, least = form.loss(np.concatenate([weight.T.ravel(), vector[split:].astype(np.float64)])), form.optimum_loss
    if not loss - least <= OPTIMAL * least + _rounding(gram, vector):
        return None
    centre, factor = _factor(gram, dense)
    return Fit(weight, bias, centre, factor, has_bias)


def _rounding(gram: Gram, vector: Array) -> float:
    """Return the loss that rounding the parameters may add: all that there is where rows lie on a line."""
    features = np.sqrt(np.diagonal(gram.matrix)[: gram.inputs] / gram.rows)
    rounding = gram.reference.rounding_of_residuals(features) * (np.finfo(vector.dtype).eps / EPSILON)
    return float(np.square(rounding).mean())


def _factor(gram: Gram, dense: Dense) -> tuple[Matrix, Matrix]:
    reference, root, n = gram.reference, gram.root, gram.inputs
    if dense.bias is not False:
        inverse = root.inverse
        if reference.basis is not None:
            inverse = np.vstack([reference.basis @ inverse[:n], inverse[n:]])
        return reference.mean, inverse
    slopes = root.K[:, :n] if reference.inverse is None else root.K[:, :n] @ reference.inverse
    design = slopes + root.K[:, n:] * reference.mean  # so that ‖design wᵀ‖² = Σ (w · x)²
    lengths = np.sqrt(np.square(design).sum(axis=0))
    lengths = np.where(lengths > 0, lengths, 1)
    _, values, right = np.linalg.svd(design / lengths, full_matrices=False)
    kept = values > EPSILON * max(design.shape) * values[0]
    return np.zeros(n), right[kept].T / values[kept] / lengths[:, None]
