"""Epochs of gradient descent on quadratic forms, reported from its trajectory in closed form.

θ is laid out as `QuadraticLoss` takes it, in float64. Every epoch is reported, Diverged is raised before the update
that would make the training loss or a parameter too large for the network's dtype, and the state may be taken
at each yield.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from time import perf_counter

import numpy as np
from numpy.typing import DTypeLike

from service.learning.arrays import Matrix, Saved, State, packed, under
from service.learning.schedules import Schedule
from service.learning.training.events import PARAMETER, Diverged, EpochReport, loss_diverged
from service.learning.training.quadratic.form import Forms
from service.learning.training.quadratic.trajectory import DescentTrajectory, Position, Stretch


class ClosedForm:
    """Gradient descent, a stretch of epochs at a time."""

    def __init__(self, start: Matrix, rate: float, schedule: Schedule | None, dtype: DTypeLike) -> None:
        self.reported = -1
        self._rate = rate
        self._schedule = schedule
        self._factor = 1.0  # of the schedule's rates
        self._rate_was_changed = False
        self._largest = float(np.finfo(dtype).max)
        self._dtype = dtype
        self._start = start
        # Where the present stretch begins, and the stretch itself once one of its epochs is reported.
        self._theta = start
        self._position: Position | None = None
        self._stretch: Stretch | None = None
        # Where a stretch with losses of the validation part began: how they are rounded depends on its ends.
        self._opening: Position | None = None

    @property
    def rate(self) -> float:
        """The rate of the next epoch; setting it ends the schedule."""
        return self._rate if self._schedule is None else self._factor * self._schedule.rate(max(self.reported, 0) + 1)

    @rate.setter
    def rate(self, eta: float) -> None:
        self._rate, self._schedule, self._rate_was_changed, self._opening = eta, None, True, None

    def back_off(self, theta: Matrix, factor: float) -> None:
        """Begin another trajectory here after the last report, with all rates times a factor."""
        self._start = self._theta = theta
        self._position = self._stretch = self._opening = None
        if self._schedule is None:
            self._rate *= factor
        else:
            self._factor *= factor

    @property
    def theta(self) -> Matrix:
        """The parameters after the last report."""
        return self._theta if self._stretch is None else self._stretch.theta(self._index(self._stretch))

    @property
    def _present(self) -> Position | None:
        """The trajectory's position after the last report; None at its beginning."""
        return self._position if self._stretch is None else self._stretch.position(self._index(self._stretch))

    def _index(self, stretch: Stretch) -> int:
        return self.reported - int(stretch.epochs[0])

    def reports(self, forms: Forms, epochs: int, began: float) -> Iterator[EpochReport]:
        """The reports after the last one, up to `epochs`; the first one's seconds count from `began`."""
        if self.reported < 0:
            yield self._first_report(forms, began)
        trajectory = DescentTrajectory(forms.train, self._start)
        beginning = replace(trajectory.beginning, epoch=self.reported, run_start=self.reported)
        while self.reported < epochs:
            self._theta, self._position, self._stretch = self.theta, self._present, None
            self._rate_was_changed = False
            began = perf_counter()
            opening = self._opening or self._position or beginning
            rates = self._next_rates(opening.epoch + 1, min(trajectory.stretch_length, epochs - opening.epoch))
            stretch = trajectory.stretch(opening, rates[:-1])
            finite, done = stretch.finite_epochs(self._dtype), self.reported - opening.epoch
            self._opening = opening if forms.validation is not None else None
            if finite > done:
                yield from self._reports(stretch, forms, rates[done + 1 : finite + 1].tolist(), began)
            self._opening = None
            if finite < len(stretch.epochs) and not self._rate_was_changed:
                fits = float(stretch.losses[finite]) <= self._largest
                epoch = int(stretch.epochs[finite])
                raise Diverged(epoch, PARAMETER) if fits else loss_diverged(epoch)

    def _first_report(self, forms: Forms, began: float) -> EpochReport:
        gradient = np.empty_like(self._start)
        with np.errstate(all="ignore"):
            loss = forms.train.gradient_and_loss(self._start, gradient)
            validation_loss = forms.validation_loss(self._start)
        if not loss <= self._largest:
            raise loss_diverged(0)
        self.reported = 0
        norm = math.sqrt(gradient @ gradient)
        return EpochReport(0, loss, validation_loss, self.rate, norm, perf_counter() - began)

    def _reports(self, stretch: Stretch, forms: Forms, rates: Sequence[float], began: float) -> Iterator[EpochReport]:
        """One for each of `rates`, those of the epochs that follow; fewer when the rate is changed on the way."""
        rest = slice(self.reported + 1 - int(stretch.epochs[0]), None)
        columns = stretch.epochs, stretch.losses, stretch.gradient_norms
        epochs, losses, norms = (column[rest].tolist() for column in columns)
        judged = forms.validation
        validation_losses = repeat(None) if judged is None else stretch.losses_on(judged)[rest].tolist()
        seconds = (perf_counter() - began) / len(rates)
        self._stretch = stretch
        for report in map(EpochReport, epochs, losses, validation_losses, rates, norms, repeat(seconds)):
            self.reported = report.epoch
            yield report
            if self._rate_was_changed:
                return

    def _next_rates(self, first: int, count: int) -> Matrix:
        """Return the rates of `count` epochs from the first on, and of the one after them."""
        if self._schedule is None:
            return np.full(count + 1, self._rate)
        return np.array([self._factor * self._schedule.rate(t) for t in range(first, first + count + 1)])

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        position = self._present
        ended = self._stretch is not None and self.reported == int(self._stretch.epochs[-1])
        opening = None if ended else self._opening
        return {
            "counts": np.array([self.reported, self._schedule is not None], np.int64),
            "rate": np.array([self._rate]),
            "start": self._start.copy(),
            "theta": self.theta.copy(),
            **({} if position is None else packed("position", position.arrays())),
            **({} if opening is None else packed("opening", opening.arrays())),
            **({} if self._factor == 1 else {"factor": np.array([self._factor])}),
        }

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self.reported, scheduled = arrays["counts"].tolist()
        self._factor = float(arrays["factor"][0]) if "factor" in arrays else 1.0
        self._rate, self._schedule = float(arrays["rate"][0]), self._schedule if scheduled else None
        self._start, self._theta, self._stretch = arrays["start"].copy(), arrays["theta"].copy(), None
        position = under("position", arrays)
        self._position = Position.from_arrays(position) if position else None
        opening = under("opening", arrays)
        self._opening = Position.from_arrays(opening) if opening else None
