"""The coordinates in which sums of squares over rows keep their digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, Matrix
from service.learning.rows.one_hot import Rows

EPSILON = float(np.finfo(np.float64).eps)
SAMPLE_ROWS = 1024
SAMPLE_RUNS = 16
COLLINEAR = 1e3  # condition number of the scaled columns beyond which features get an orthonormal basis
UNSEEN = 1e-12  # directions this much smaller than the largest are rounding, or do not occur in the sample
FITTED = EPSILON / 1e-9  # shorter ones take weights so large that rounding them costs more than the fit gains


@dataclass(frozen=True, eq=False)
class Centring:
    """A rough centre and fit of the rows: features = (x − mean) basis, residuals = y − level − (x − mean) fit.

    Subtracting before squaring is what keeps the sums exact: a column with a large offset, or a loss far below the
    targets' square, would otherwise leave only the last digits of large numbers. Nearly collinear columns are told
    apart by `basis`, which makes the sampled features orthonormal; it is None (the identity) for all others, since it
    costs a product more per row.

    mean (inputs), level (outputs), fit (inputs × outputs), basis and its inverse (inputs × inputs).
    """

    mean: Matrix
    level: Matrix
    fit: Matrix
    basis: Matrix | None = None
    inverse: Matrix | None = None

    @classmethod
    def of(cls, inputs: Array, targets: Array) -> Self:
        """Means and least-squares fit of these rows (rows × inputs, rows × outputs), by QR and SVD."""
        n = inputs.shape[1]
        mean = inputs.mean(axis=0, dtype=np.float64)
        level = targets.mean(axis=0, dtype=np.float64)
        x = inputs - mean
        scale = np.sqrt(np.square(x).mean(axis=0))
        constant = scale <= 8 * EPSILON * np.abs(mean)  # what is left of such a column is rounding
        scale = np.where(constant, np.maximum(np.abs(mean), 1), scale)
        upper: Matrix = np.asarray(np.linalg.qr(np.hstack([x / scale, targets - level]), mode="r"))
        # Rows of zeros stand for the directions that fewer rows than columns leave out.
        triangle = np.vstack([upper, np.zeros((n, upper.shape[1]))])  # fewer rows than columns: directions of length 0
        left, lengths, directions = np.linalg.svd(triangle[:, :n], full_matrices=False)
        seen = lengths > UNSEEN * lengths[0]
        fitted = lengths > FITTED * lengths[0]
        fit = (directions[fitted].T / lengths[fitted]) @ (left[:, fitted].T @ triangle[:, n:]) / scale[:, None]
        if not seen.any() or lengths[0] < COLLINEAR * lengths[seen][-1]:
            return cls(mean, level, fit)
        spread = np.where(seen, lengths, lengths[0]) / np.sqrt(len(inputs))
        return cls(mean, level, fit, *_basis(directions, spread, scale))

    @property
    def inputs(self) -> int:
        return len(self.mean)

    @property
    def outputs(self) -> int:
        return len(self.level)

    @property
    def fitted(self) -> NDArray[np.bool_]:
        """Whether a feature of the basis is long enough for the fit, beside the longest: one for each feature."""
        assert self.inverse is not None
        scale = np.sqrt(np.square(self.inverse).sum(axis=0))
        lengths: Matrix = np.sqrt(np.square(self.inverse / np.where(scale > 0, scale, 1)).sum(axis=1))
        fitted: NDArray[np.bool_] = lengths > FITTED * lengths.max()
        return fitted

    def corrected(self, coefficients: Matrix) -> Self:
        """Return the same centre, and the fit that adds these coefficients (inputs + 1 × outputs) of [features, 1]."""
        slopes, intercept = coefficients[:-1], coefficients[-1]
        step = slopes if self.basis is None else self.basis @ slopes
        return type(self)(self.mean, self.level + intercept, self.fit + step, self.basis, self.inverse)

    def apart(self, moments: Matrix) -> Self:
        """Return the same centre and fit, and the basis that makes inputs with these second moments orthonormal."""
        scale = np.sqrt(np.diagonal(moments))
        scale = np.where(scale > 0, scale, 1)
        squares, directions = np.linalg.eigh(moments / np.outer(scale, scale))
        seen = squares > EPSILON * self.inputs * squares[-1]
        spread = np.sqrt(np.where(seen, squares, squares[-1]))
        return type(self)(self.mean, self.level, self.fit, *_basis(directions.T, spread, scale))

    def rounding_of_residuals(self, lengths: Matrix) -> Matrix:
        """Return the size of the rounding errors in each output's residual, for features of these root mean squares."""
        slopes = self.fit if self.inverse is None else self.inverse @ self.fit
        return EPSILON * (np.abs(self.level) + lengths @ np.abs(slopes))

    def same_as(self, other: Self) -> bool:
        mine, theirs = self.arrays(), other.arrays()
        return mine.keys() == theirs.keys() and all(np.array_equal(mine[name], theirs[name]) for name in mine)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, as named arrays; `basis` and `inverse` only where there are any."""
        named = {"mean": self.mean, "level": self.level, "fit": self.fit, "basis": self.basis, "inverse": self.inverse}
        return {name: array for name, array in named.items() if array is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        names = ("mean", "level", "fit", "basis", "inverse")
        return cls(**{name: np.asarray(arrays[name], np.float64) for name in names if name in arrays})


def _basis(directions: Matrix, spread: Matrix, scale: Matrix) -> tuple[Matrix, Matrix]:
    """Basis and inverse, of orthonormal directions (as rows) of columns divided by scale, each that far spread."""
    return directions.T / np.outer(scale, spread), directions * np.outer(spread, scale)


def spread_sample(inputs: Rows, targets: Rows) -> tuple[Array, Array]:
    """Some thousand rows, in a few long runs from all over the table: the first rows of a sorted one tell little."""
    wanted = max(SAMPLE_ROWS, 4 * (inputs.shape[1] + targets.shape[1]))
    if len(inputs) <= wanted:
        return inputs[:], targets[:]
    length = wanted // SAMPLE_RUNS
    starts = np.linspace(0, len(inputs) - length, SAMPLE_RUNS).astype(np.int64)
    chosen = [slice(start, start + length) for start in starts.tolist()]
    return np.concatenate([inputs[run] for run in chosen]), np.concatenate([targets[run] for run in chosen])
