"""The loss of a linear layer as a quadratic form: an epoch costs O(columns²), whatever the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import NamedTuple

import numpy as np

from service.learning.arrays import Array, Matrix
from service.learning.rows.gram import POOR, Gram, Root
from service.learning.rows.reference import EPSILON, Centring
from service.learning.training.quadratic.mean_error import MeanError, exact_difference, exact_product

OPERATIONS_PER_CALL = 10_000  # what calling NumPy once takes, in operations
DECOMPOSITION = 30  # columns³ times this: the eigenvectors and singular vectors of the small matrices
TOLERANCE = 1e-9  # of the residual: more rounding than this is not left in the error at the mean row


@dataclass(frozen=True, eq=False)
class Spectrum:
    """M = left · diag(lengths) · right, and the Hessian's eigenvalues 2 lengths² / (rows · outputs), largest first.

    It leaves out the directions so short beside the longest that no stable step moves anything along them.
    """

    left: Matrix
    lengths: Matrix
    right: Matrix
    eigenvalues: Matrix

    def beyond(self, residual: Matrix) -> Matrix:
        """Return the part of a residual (rank × outputs) that no step along these directions changes."""
        return _beyond(self.left, residual)


class QuadraticLoss:
    """mse of one identity `Dense`, mean((W x + b − y)²) over all elements, from its rows' Gram matrix alone.

        loss(θ) = ‖E‖² / (rows · outputs) + unreachable,  E = (w − w₀) Sᵀ + c K₁ᵀ − q

    θ is the flat vector, weight w (outputs × inputs) row by row and then the bias b, in any float dtype; all arithmetic
    is float64. w₀ is the fit of the reference: w − w₀ is exact where w is close to it, so that losses keep their digits
    down to the smallest. c = w · centre + b − level is the error at the reference's mean row. Where that is a small
    difference of so large products that their rounding would show, it is computed exactly; elsewhere it joins the
    slopes in one matrix: E = (θ − θ₀) Mᵀ + E(θ₀). The gradient is 2 E M / (rows · outputs).

    `standardised` is (mean, deviation) of the inputs where θ is to act on (x − mean) / deviation. The buffers make an
    instance good for one thread.
    """

    def __init__(self, gram: Gram, *, bias: bool = True, standardised: tuple[Array, Array] | None = None) -> None:
        reference, root, d, outputs = gram.reference, gram.root, gram.inputs, gram.outputs
        self.inputs, self.outputs, self.rows, self.bias = d, outputs, gram.rows, bias
        self.columns = d + bias
        self.scale = 1.0 / (self.rows * outputs)
        self.unreachable_loss = float(root.rest.sum()) * self.scale
        slopes, ones = root.K[:, :d], root.K[:, d:]
        if reference.inverse is not None:
            slopes = slopes @ reference.inverse
        centre, weights, at_slopes, unit = reference.mean[None], reference.fit.T, -root.q.T, np.ones(d)
        if standardised is not None:
            mean, unit = (part.astype(np.float64) for part in standardised)
            centre, weights, cut_off = _standardised(reference, mean, unit)
            slopes = slopes / unit
            at_slopes = at_slopes - cut_off @ slopes.T
        mean_error = MeanError(centre, reference.level)
        level, rest = mean_error.balanced(weights)
        self._reference = np.hstack([weights, level[:, None]])
        self._at_reference = at_slopes + np.outer(rest if bias else -level, ones)
        self._centre = centre[0]
        self._M = np.hstack([slopes + ones * self._centre, ones])[:, : self.columns]
        self._exact = mean_error if _cancels(root, reference.basis, self._centre * unit) else None
        self._matrix = self._M if self._exact is None else np.hstack([slopes, ones])
        self._constant = self._at_reference if self._exact is None else at_slopes
        self._step = np.empty((outputs, self._matrix.shape[1]))
        self._residual = np.empty((outputs, len(root.K)))
        self._gradient = np.empty_like(self._step)

    @property
    def size(self) -> int:
        """Length of θ."""
        return self.columns * self.outputs

    def loss(self, theta: Array) -> float:
        """The loss at θ: never negative; inf where it exceeds float64 (NumPy then warns as the caller set it to)."""
        return self._loss_of(self.residual(theta))

    def gradient(self, theta: Array, out: Array) -> None:
        """Write ∂loss/∂θ to `out`, in its dtype."""
        self._write_gradient(self.residual(theta), out)

    def gradient_and_loss(self, theta: Array, out: Array) -> float:
        """Write ∂loss/∂θ to `out` and return the loss at θ."""
        residual = self.residual(theta)
        self._write_gradient(residual, out)
        return self._loss_of(residual)

    def residual(self, theta: Array) -> Matrix:
        """E (outputs × rank): the part of the rows' errors that θ decides; overwritten by the next call."""
        step, d, split = self._step, self.inputs, self.inputs * self.outputs
        weights, bias = theta[:split].reshape(self.outputs, d), theta[split:]
        if self._exact is not None:
            step[:, :d] = weights
            step[:, d] = self._exact.at(step[:, :d], bias if self.bias else None)
        elif self.bias:
            np.subtract(bias, self._reference[:, d], out=step[:, d])
        np.subtract(weights, self._reference[:, :d], out=step[:, :d])
        residual = np.matmul(step, self._matrix.T, out=self._residual)
        residual += self._constant
        return residual

    def images(self, directions: Matrix) -> Matrix:
        """Steps of θ (columns × any) as changes of E (rank × any)."""
        return self._M @ directions

    def flat(self, parameters: Matrix) -> Array:
        """Weights and bias of each output (outputs × columns) in the order of θ."""
        return np.concatenate([parameters[:, : self.inputs].ravel(), parameters[:, self.inputs :].ravel()])

    def _loss_of(self, residual: Matrix) -> float:
        flat = residual.ravel()
        return float(flat @ flat) * self.scale + self.unreachable_loss

    def _write_gradient(self, residual: Matrix, out: Array) -> None:
        gradient, d = np.matmul(residual, self._matrix, out=self._gradient), self.inputs
        if self._exact is not None:
            gradient[:, :d] += gradient[:, d:] * self._centre
        gradient *= 2 * self.scale
        split = d * self.outputs
        out[:split].reshape(self.outputs, d)[...] = gradient[:, :d]
        if self.bias:
            out[split:] = gradient[:, d]

    @cached_property
    def spectrum(self) -> Spectrum:
        left, lengths, right = np.linalg.svd(self._M, full_matrices=False)
        kept = lengths > EPSILON * max(self._M.shape) * lengths[0] if len(lengths) else lengths > 0
        left, lengths, right = left[:, kept], lengths[kept], right[kept]
        return Spectrum(left, lengths, right, 2 * self.scale * np.square(lengths))

    @cached_property
    def optimum_loss(self) -> float:
        """The least loss that any θ has, however many steps it would take to come near it."""
        if self.spectrum.left.shape[1] == len(self._M):
            return self.unreachable_loss
        left, step = _least_squares(self._M, -self._at_reference.T)
        # There the residual is small, and little of it cancels.
        residual = self.residual(self.flat(self._reference[:, : self.columns] + step.T))
        return float(np.square(_beyond(left, residual.T)).sum()) * self.scale + self.unreachable_loss


def _beyond(left: Matrix, residual: Matrix) -> Matrix:
    """Return the rest of a residual (rank × outputs) without its parts along these orthonormal columns."""
    if left.shape[0] == left.shape[1]:  # nothing: what a difference left would be rounding
        return np.zeros_like(residual)
    return residual - left @ (left.T @ residual)


def _least_squares(matrix: Matrix, targets: Matrix) -> tuple[Matrix, Matrix]:
    """An orthonormal basis of the columns' span, and the best coefficients; columns may differ in scale by much."""
    lengths = np.sqrt(np.square(matrix).sum(axis=0))
    lengths = np.where(lengths > 0, lengths, 1)
    left, values, right = np.linalg.svd(matrix / lengths, full_matrices=False)
    kept = values > EPSILON * max(matrix.shape) * values[0]
    left, values, right = left[:, kept], values[kept], right[kept]
    return left, (right.T / values) @ (left.T @ targets) / lengths[:, None]


def _standardised(reference: Centring, mean: Matrix, deviation: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Return the reference's centre and weights where inputs are (x − mean) / deviation, and what rounding cut off."""
    difference, rest = exact_difference(reference.mean, mean)
    centre = difference / deviation
    product, cut_off = exact_product(centre, deviation)
    centre_rest = ((difference - product) - cut_off + rest) / deviation
    weights, rest = exact_product(reference.fit, deviation[:, None])
    return np.array([centre, centre_rest]), weights.T, rest.T


def _cancels(root: Root, basis: Matrix | None, offset: Matrix) -> bool:
    """Whether rounding in w · centre could show in the residual: for a large offset beside the spread of the rows.

    For a residual of length r a weight lies within r times the length of its row of `slopes` of the best; and the terms
    grow by as much again as the reference is worse than the best, which is by a factor of √POOR at most.
    """
    slopes, ones = root.inverse[:-1], root.K[:, -1]
    if basis is not None:
        slopes = basis @ slopes
    terms = np.abs(offset) @ np.sqrt(np.square(slopes).sum(axis=1)) * sqrt(ones @ ones)
    return bool(terms * EPSILON * sqrt(POOR) > TOLERANCE)


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
    """The cost of the quadratic path, in multiplications and additions, a call of NumPy counted as 10,000 of them.

    The pass over the rows, the decompositions, and the epochs: O(columns) each in closed form, else O(columns²).
    """
    columns = inputs + 1
    size = columns + outputs
    passes = 0 if gram_is_known else (rows + validation_rows) * size * (size + 4)
    forms = 2 if validation_rows else 1
    decompositions = DECOMPOSITION * columns**3 * forms + 60 * OPERATIONS_PER_CALL * forms
    if closed_form:
        each = 20 * columns + (2 * columns**2 * outputs if validation_rows else 0)
        return passes + decompositions + epochs * each
    return passes + decompositions + epochs * forms * (4 * columns**2 * outputs + 12 * OPERATIONS_PER_CALL)


class Forms(NamedTuple):
    """The loss over the training part, and over the validation part where there is one."""

    train: QuadraticLoss
    validation: QuadraticLoss | None

    def validation_loss(self, theta: Matrix) -> float | None:
        return None if self.validation is None else self.validation.loss(theta)
