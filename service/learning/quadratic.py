"""The loss of a linear layer as a quadratic form: an epoch costs O(columns²), whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.gram import Gram
from service.learning.reference import EPSILON, Matrix

Vector = NDArray[np.floating[Any]]

CALL = 10_000  # what calling NumPy once takes, in operations
DECOMPOSITION = 30  # columns³ times this: the eigenvectors and singular vectors of the small matrices
SPLITTER = 2.0**27 + 1


@dataclass(frozen=True, eq=False)
class Spectrum:
    """M = left · diag(lengths) · right, and the Hessian's eigenvalues 2 lengths² / (rows · outputs), largest first."""

    left: Matrix
    lengths: Matrix
    right: Matrix
    eigenvalues: Matrix


class QuadraticLoss:
    """mse of one identity `Dense`, mean((W x + b − y)²) over all elements, from its rows' Gram matrix alone.

        loss(θ) = ‖E‖² / (rows · outputs) + unreachable,  E = (θ − θ₀) Mᵀ + E₀,  gradient = 2 E M / (rows · outputs)

    θ is the flat vector, weight (outputs × inputs) row by row and then the bias, in any float dtype; all arithmetic is
    float64. θ₀ is the fit of the reference: θ − θ₀ is exact where θ is close to it, so that losses keep their digits
    down to the smallest. `standardised` is (mean, deviation) of the inputs where θ is to act on (x − mean) / deviation.
    The buffers make an instance good for one thread.
    """

    def __init__(self, gram: Gram, *, bias: bool = True, standardised: tuple[Vector, Vector] | None = None) -> None:
        reference, d, outputs = gram.reference, gram.inputs, gram.outputs
        mean, deviation = standardised if standardised is not None else (np.zeros(d), np.ones(d))
        centre = (reference.mean - mean) / deviation
        self.inputs, self.outputs, self.rows, self.bias = d, outputs, gram.rows, bias
        self.columns = d + bias
        K, q, rest = gram.root()
        # What a step of θ changes, in the coordinates of the Gram matrix: [features, 1] (inputs + 1 × columns).
        to_features = np.zeros((d + 1, self.columns))
        to_features[:d, :d] = (np.eye(d) if reference.inverse is None else reference.inverse) / deviation
        to_features[d, :d] = centre
        to_features[d, d:] = 1
        self._M = K @ to_features
        weights = (reference.fit * deviation[:, None]).T
        level, level_rest = _exact_intercept(reference.level, weights, centre)
        offset = level_rest if bias else level + level_rest
        self._at_reference = -np.outer(offset, K[:, d]) - q.T
        self._reference = np.hstack([weights, level[:, None]]) if bias else weights
        self.scale = 1.0 / (self.rows * outputs)
        self.unreachable_loss = float(rest.sum()) * self.scale
        self._step = np.empty((outputs, self.columns))
        self._residual = np.empty((outputs, len(K)))
        self._gradient = np.empty((outputs, self.columns))

    @property
    def size(self) -> int:
        """Length of θ."""
        return self.columns * self.outputs

    def loss(self, theta: Vector) -> float:
        """The loss at θ: never negative; inf where it exceeds float64, of which NumPy warns as the caller set it to."""
        return self._loss_of(self.residual(theta))

    def gradient(self, theta: Vector, out: Vector) -> None:
        """Write ∂loss/∂θ to `out`, in its dtype."""
        self._write_gradient(self.residual(theta), out)

    def gradient_and_loss(self, theta: Vector, out: Vector) -> float:
        """Write ∂loss/∂θ to `out` and return the loss at θ."""
        residual = self.residual(theta)
        self._write_gradient(residual, out)
        return self._loss_of(residual)

    def step_from_reference(self, theta: Vector) -> Matrix:
        """θ − θ₀ (outputs × columns); overwritten by the next call."""
        split = self.inputs * self.outputs
        step, d = self._step, self.inputs
        np.subtract(theta[:split].reshape(self.outputs, d), self._reference[:, :d], out=step[:, :d])
        if self.bias:
            np.subtract(theta[split:], self._reference[:, d], out=step[:, d])
        return step

    def theta_at(self, step: Matrix) -> Matrix:
        """θ₀ + step, flat, in float64."""
        theta = self._reference + step
        return np.concatenate([theta[:, : self.inputs].ravel(), theta[:, self.inputs :].ravel()])

    def residual(self, theta: Vector) -> Matrix:
        """E (outputs × rank): the part of the rows' errors that θ decides; overwritten by the next call."""
        residual = np.matmul(self.step_from_reference(theta), self._M.T, out=self._residual)
        residual += self._at_reference
        return residual

    def images(self, directions: Matrix) -> Matrix:
        """Steps of θ (columns × any) as changes of E (rank × any)."""
        return self._M @ directions

    def _loss_of(self, residual: Matrix) -> float:
        flat = residual.ravel()
        return float(flat @ flat) * self.scale + self.unreachable_loss

    def _write_gradient(self, residual: Matrix, out: Vector) -> None:
        gradient = np.matmul(residual, self._M, out=self._gradient)
        gradient *= 2 * self.scale
        split = self.inputs * self.outputs
        out[:split].reshape(self.outputs, self.inputs)[...] = gradient[:, : self.inputs]
        if self.bias:
            out[split:] = gradient[:, self.inputs]

    @cached_property
    def spectrum(self) -> Spectrum:
        left, lengths, right = np.linalg.svd(self._M, full_matrices=False)
        kept = lengths > EPSILON * max(self._M.shape) * lengths[0] if len(lengths) else lengths > 0
        left, lengths, right = left[:, kept], lengths[kept], right[kept]
        return Spectrum(left, lengths, right, 2 * self.scale * np.square(lengths))

    @cached_property
    def optimum_loss(self) -> float:
        """The least loss that any θ has."""
        out_of_reach = self._at_reference.T
        out_of_reach = out_of_reach - self.spectrum.left @ (self.spectrum.left.T @ out_of_reach)
        square = len(self._M) == self.spectrum.left.shape[1]  # every residual is within reach: what is left is rounding
        return (0.0 if square else float(np.square(out_of_reach).sum()) * self.scale) + self.unreachable_loss


def _exact_intercept(level: Matrix, weights: Matrix, centre: Matrix) -> tuple[Matrix, Matrix]:
    """level − weights · centre as the sum of two doubles: products split exactly (Veltkamp and Dekker), summed exactly.

    With an offset of 10⁶ in the inputs a double alone would leave 10⁻¹⁰ of error in every prediction.
    """
    product = weights * centre
    weights_high, centre_high = _high_half(weights), _high_half(centre)
    weights_low, centre_low = weights - weights_high, centre - centre_high
    error = weights_low * centre_low - (
        ((product - weights_high * centre_high) - weights_low * centre_high) - weights_high * centre_low
    )
    terms = [[a, *(-p).tolist(), *(-e).tolist()] for a, p, e in zip(level.tolist(), product, error, strict=True)]
    high = [fsum(row) for row in terms]
    low = [fsum([*row, -h]) for row, h in zip(terms, high, strict=True)]
    return np.array(high), np.array(low)


def _high_half(values: Matrix) -> Matrix:
    scaled = SPLITTER * values
    high: Matrix = scaled - (scaled - values)
    return high


def operations(
    rows: int,
    inputs: int,
    outputs: int,
    epochs: int,
    *,
    closed_form: bool,
    gram_is_known: bool,
    validation_rows: int = 0,
) -> int:
    """What the quadratic path costs, in multiplications and additions, a call of NumPy counted as 10,000 of them.

    The pass over the rows, the decompositions, and the epochs: O(columns) each in closed form, else O(columns²).
    """
    columns = inputs + 1
    size = columns + outputs
    passes = 0 if gram_is_known else (rows + validation_rows) * size * (size + 4)
    forms = 2 if validation_rows else 1
    decompositions = DECOMPOSITION * columns**3 * forms + 60 * CALL * forms
    if closed_form:
        each = 20 * columns + (2 * columns**2 * outputs if validation_rows else 0)
        return passes + decompositions + epochs * each
    return passes + decompositions + epochs * forms * (4 * columns**2 * outputs + 12 * CALL)
