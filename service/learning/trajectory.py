"""Gradient descent on a quadratic loss in closed form: any stretch of epochs at once, in the Hessian's eigenvectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from service.learning.quadratic import QuadraticLoss, Vector
from service.learning.reference import Matrix

STRETCH_ELEMENTS = 1 << 17
NOTHING_LEFT = -1e4  # stands for the logarithm of 0: its exponential is 0, yet no epochs × it is NaN


@dataclass(frozen=True, eq=False)
class Position:
    """Where a trajectory stands: all that going on needs besides the start, however the epochs were cut into stretches.

    Since epoch `run_start` the rate has been `rate`; log_decay and sign (one per eigenvector) are what the epochs
    before that one left of the error.
    """

    epoch: int
    run_start: int
    rate: float
    log_decay: Matrix
    sign: Matrix

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "epochs": np.array([self.epoch, self.run_start], np.int64),
            "rate": np.array([self.rate]),
            "log_decay": self.log_decay,
            "sign": self.sign,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        epoch, run_start = arrays["epochs"].tolist()
        return cls(epoch, run_start, float(arrays["rate"][0]), arrays["log_decay"], arrays["sign"])


class DescentTrajectory:
    """θ_{t+1} = θ_t − η_t ∇loss(θ_t) from `start`, evaluated without the steps between.

    Along an eigenvector of the Hessian with eigenvalue λ the error shrinks (or, beyond the largest stable rate, grows)
    by 1 − ηλ an epoch, so after t epochs Π(1 − η_s λ) of it is left. Products are kept as logarithms and signs: nothing
    overflows on the way, and since they are counted from the start, a pause changes no byte.
    """

    def __init__(self, form: QuadraticLoss, start: Vector) -> None:
        self.form = form
        self.start_step = form.step_from_reference(start).copy()
        spectrum = form.spectrum
        self.error = spectrum.left.T @ form.residual(start).T  # (eigenvectors × outputs)
        size = np.sqrt(np.square(self.error).sum(axis=1))
        with np.errstate(divide="ignore"):
            self.log_size = np.log(size)
            self.log_slope = self.log_size + np.log(spectrum.lengths)

    @property
    def beginning(self) -> Position:
        zero = np.zeros_like(self.log_size)
        return Position(0, 0, 0.0, zero, zero + 1)

    @property
    def stretch_length(self) -> int:
        """How many epochs at once keep the working memory within a few megabytes."""
        return max(1, STRETCH_ELEMENTS // (max(1, len(self.log_size)) * (1 + self.form.outputs)))

    def stretch(self, position: Position, rates: Matrix) -> Stretch:
        """The epochs after `position`, one for each of `rates` (at least one)."""
        runs, run = self._runs(position, rates)
        log_factor, negative = self._factors(runs.rates)
        lengths = np.diff(runs.starts)[:, None]
        np.multiply(lengths, log_factor[:-1], out=runs.log_bases[1:])
        runs.signs[1:] -= 2.0 * (negative[:-1] & (lengths % 2 == 1))
        np.cumsum(runs.log_bases, axis=0, out=runs.log_bases)
        np.cumprod(runs.signs, axis=0, out=runs.signs)
        epochs = np.arange(position.epoch + 1, position.epoch + 1 + len(rates))
        since = (epochs - runs.starts[run])[:, None]
        log_decay = since * log_factor[run]
        log_decay += runs.log_bases[run]
        sign = runs.signs[run]
        sign[negative[run] & (since % 2 == 1)] *= -1
        return Stretch(self, epochs, run, runs, log_decay, sign)

    def _runs(self, position: Position, rates: Matrix) -> tuple[Runs, NDArray[np.int64]]:
        """The runs of equal rates, the one that `position` is in first, and which of them each epoch belongs to."""
        changed = np.empty(len(rates), np.bool_)
        changed[0] = rates[0] != position.rate
        np.not_equal(rates[1:], rates[:-1], out=changed[1:])
        changes = changed.nonzero()[0]
        count, directions = 1 + len(changes), len(position.sign)
        runs = Runs(
            np.empty(count, np.int64), np.empty(count), np.empty((count, directions)), np.ones((count, directions))
        )
        runs.starts[0], runs.rates[0], runs.log_bases[0], runs.signs[0] = (
            position.run_start,
            position.rate,
            position.log_decay,
            position.sign,
        )
        np.add(changes, position.epoch, out=runs.starts[1:])
        runs.rates[1:] = rates[changes]
        return runs, np.cumsum(changed)

    def _factors(self, rates: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
        """log|1 − ηλ| and whether 1 − ηλ is negative (rates × eigenvectors)."""
        product = np.outer(rates, self.form.spectrum.eigenvalues)
        with np.errstate(divide="ignore"):
            logarithm = np.where(product < 1, np.log1p(-np.minimum(product, 1)), np.log(np.maximum(product, 1) - 1))
        return np.maximum(logarithm, NOTHING_LEFT), product > 1

    def theta(self, log_decay: Matrix, sign: Matrix) -> Matrix:
        """start − Q (1 − factor) / length · error, which is θ where these factors of the error are left."""
        spectrum = self.form.spectrum
        with np.errstate(over="ignore", invalid="ignore"):
            done = np.where(sign > 0, -np.expm1(log_decay), 1 + np.exp(log_decay))
            moved = (spectrum.right.T * (done / spectrum.lengths)) @ self.error
            return self.form.theta_at(self.start_step - moved.T)


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of epochs at one rate: the epoch each starts after, its rate, and what was left of the error then."""

    starts: NDArray[np.int64]
    rates: Matrix
    log_bases: Matrix
    signs: Matrix


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some successive epochs; log_decay and sign (epochs × eigenvectors) say what is left of the error after each."""

    trajectory: DescentTrajectory
    epochs: NDArray[np.int64]
    run: NDArray[np.int64]
    runs: Runs
    log_decay: Matrix
    sign: Matrix

    @cached_property
    def losses(self) -> Matrix:
        """The loss after each epoch: a sum of squares, so never negative; inf beyond float64."""
        t = self.trajectory
        with np.errstate(over="ignore"):
            squares: Matrix = np.exp(2 * (self.log_decay + t.log_size)).sum(axis=1)
        return squares * t.form.scale + t.form.optimum_loss

    @cached_property
    def gradient_norms(self) -> Matrix:
        """The length of the gradient after each epoch."""
        t = self.trajectory
        with np.errstate(over="ignore"):
            squares: Matrix = np.exp(2 * (self.log_decay + t.log_slope)).sum(axis=1)
        return 2 * t.form.scale * np.sqrt(squares)

    def theta(self, index: int) -> Matrix:
        """θ after epoch `epochs[index]`, flat, in float64."""
        return self.trajectory.theta(self.log_decay[index], self.sign[index])

    def position(self, index: int) -> Position:
        """Where the trajectory stands after epoch `epochs[index]`."""
        run, runs = self.run[index], self.runs
        return Position(
            int(self.epochs[index]), int(runs.starts[run]), float(runs.rates[run]), runs.log_bases[run], runs.signs[run]
        )

    def finite_epochs(self, dtype: DTypeLike) -> int:
        """How many epochs pass before a loss or parameter is too large for `dtype`; all of them where none is."""
        largest = float(np.finfo(dtype).max)
        too_large = np.flatnonzero(~(self.losses <= largest))
        finite = int(too_large[0]) if len(too_large) else len(self.losses)

        def fits(index: int) -> bool:
            return bool(np.all(np.abs(self.theta(index)) <= largest))

        if finite == 0 or fits(finite - 1):
            return finite
        good, bad = -1, finite - 1  # parameters that outgrow the dtype do so once and for all
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if fits(middle) else (good, middle)
        return bad

    def losses_on(self, other: QuadraticLoss) -> Matrix:
        """The loss after each epoch over other rows, of which `other` is the quadratic form (a validation part).

        Counted from a θ towards which the directions that shrink go, and from which those that grow come: so what is
        added to its residual is small wherever the residual itself may be.
        """
        t, spectrum = self.trajectory, self.trajectory.form.spectrum
        shrinks = self.log_decay[-1] <= self.log_decay[0]
        log_decay = np.where(shrinks, self.log_decay[-1], self.log_decay[0])
        sign = np.where(shrinks, self.sign[-1], self.sign[0])
        with np.errstate(over="ignore", invalid="ignore"):
            residual = other.residual(t.theta(log_decay, sign))
            factors = self.sign * np.exp(self.log_decay) - sign * np.exp(log_decay)
            moves = other.images(spectrum.right.T / spectrum.lengths)
            directions = np.einsum("ki,io->iok", moves, t.error).reshape(len(factors.T), -1)
            squares: Matrix = np.square(factors @ directions + residual.ravel()).sum(axis=1)
        return squares * other.scale + other.unreachable_loss
