"""Gradient descent on a quadratic loss in closed form: any stretch of epochs at once, in the Hessian's eigenvectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from service.learning.arrays import Array, Matrix
from service.learning.training.quadratic.form import QuadraticLoss

STRETCH_ELEMENTS = 1 << 17
NOTHING_LEFT = -1e4  # stands for the logarithm of 0: its exponential is 0, yet no epochs × it is NaN


@dataclass(frozen=True, eq=False)
class Position:
    """A position on a trajectory: all that it needs to continue besides the start, wherever stretches were cut.

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
            "log_decay": self.log_decay.copy(),
            "sign": self.sign.copy(),
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

    def __init__(self, form: QuadraticLoss, start: Array) -> None:
        self.form = form
        self.start = start
        spectrum, residual = form.spectrum, form.residual(start).T
        self.error = spectrum.left.T @ residual  # (eigenvectors × outputs)
        self.lasting_loss = float(np.square(spectrum.beyond(residual)).sum()) * form.scale + form.unreachable_loss
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
        """Number of epochs at once that keeps the working memory within a few megabytes."""
        return max(1, STRETCH_ELEMENTS // (max(1, len(self.log_size)) * (1 + self.form.outputs)))

    def stretch(self, position: Position, rates: Matrix) -> Stretch:
        """Return the epochs after `position`, one for each of `rates` (at least one)."""
        runs = self._runs(self._at_rate(position, float(rates[0])), rates)
        log_factor, negative = self._factors(runs.rates)
        epochs = np.arange(position.epoch + 1, position.epoch + 1 + len(rates))
        run = 0 if len(runs.rates) == 1 else runs.of(epochs)
        since = (epochs - runs.starts[run])[:, None]
        log_decay = since * log_factor[run]
        log_decay += runs.log_decay[run]
        sign = np.where(negative[run] & (since % 2 == 1), -runs.sign[run], runs.sign[run])
        return Stretch(self, epochs, runs, log_decay, sign)

    def _at_rate(self, position: Position, rate: float) -> Position:
        """Return the position, with a run of its own begun if the rate is another one."""
        if rate == position.rate:
            return position
        length = position.epoch - position.run_start
        log_factor, negative = self._factors(np.array([position.rate]))
        log_decay = position.log_decay + length * log_factor[0]
        sign = np.where(negative[0] & (length % 2 == 1), -position.sign, position.sign)
        return Position(position.epoch, position.epoch, rate, log_decay, sign)

    def _runs(self, position: Position, rates: Matrix) -> Runs:
        """Return the runs of equal rates; the position is in the first."""
        changes = (rates[1:] != rates[:-1]).nonzero()[0] + 1
        if not len(changes):
            only = np.array([position.run_start]), np.array([position.rate])
            return Runs(*only, position.log_decay[None], position.sign[None])
        starts = np.concatenate([[position.run_start], position.epoch + changes])
        run_rates = np.concatenate([[position.rate], rates[changes]])
        log_factor, negative = self._factors(run_rates[:-1])
        lengths = np.diff(starts)[:, None]
        log_decay = np.cumsum(np.vstack([position.log_decay, lengths * log_factor]), axis=0)
        sign = np.cumprod(np.vstack([position.sign, np.where(negative & (lengths % 2 == 1), -1.0, 1.0)]), axis=0)
        return Runs(starts, run_rates, log_decay, sign)

    def _factors(self, rates: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
        """log|1 − ηλ|, exact also where ηλ is near 0 or 2, and whether 1 − ηλ < 0 (rates × eigenvectors)."""
        product = rates[:, None] * self.form.spectrum.eigenvalues
        with np.errstate(divide="ignore"):
            logarithm = np.log1p(-np.minimum(product, 2 - product))
        return np.maximum(logarithm, NOTHING_LEFT), product > 1

    def theta(self, log_decay: Matrix, sign: Matrix) -> Matrix:
        """start − Q (1 − factor) / length · error, which is θ where these factors of the error are left."""
        spectrum = self.form.spectrum
        with np.errstate(over="ignore", invalid="ignore"):
            done = np.where(sign > 0, -np.expm1(log_decay), 1 + np.exp(log_decay))
            moved = (spectrum.right.T * (done / spectrum.lengths)) @ self.error
            return self.start - self.form.flat(moved.T)


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of epochs at one rate: the epoch each starts after, its rate, and what was left of the error then."""

    starts: NDArray[np.int64]
    rates: Matrix
    log_decay: Matrix
    sign: Matrix

    def of(self, epochs: NDArray[np.int64] | int) -> Any:
        """Return the index of the run that an epoch belongs to."""
        return np.searchsorted(self.starts, epochs, side="left") - 1


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some successive epochs; log_decay and sign (epochs × eigenvectors) hold what is left of the error after each."""

    trajectory: DescentTrajectory
    epochs: NDArray[np.int64]
    runs: Runs
    log_decay: Matrix
    sign: Matrix

    @cached_property
    def losses(self) -> Matrix:
        """The loss after each epoch: a sum of squares, so never negative; inf beyond float64."""
        t = self.trajectory
        with np.errstate(over="ignore"):
            squares: Matrix = np.exp(2 * (self.log_decay + t.log_size)).sum(axis=1)
        return squares * t.form.scale + t.lasting_loss

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
        """Return the position after epoch `epochs[index]`."""
        epoch, runs = int(self.epochs[index]), self.runs
        run = runs.of(epoch)
        return Position(epoch, int(runs.starts[run]), float(runs.rates[run]), runs.log_decay[run], runs.sign[run])

    def finite_epochs(self, dtype: DTypeLike) -> int:
        """The number of epochs before a loss or parameter is too large for `dtype`; all of them where none is."""
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
        """Return the loss after each epoch over other rows (a validation part), whose quadratic form is `other`.

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
