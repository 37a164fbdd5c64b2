"""Epochs step by step on the quadratic form, for every optimiser but plain Descent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import DTypeLike

from service.learning.arrays import Matrix, Saved, State, packed, under
from service.learning.optimisers import Optimiser, Rule
from service.learning.schedules import Schedule
from service.learning.training.events import PARAMETER, Diverged, EpochReport, loss_diverged
from service.learning.training.quadratic.form import Forms, QuadraticLoss
from service.learning.training.rates import Rates


class Steps:
    """Training by any rule, one step an epoch, with gradients that cost O(columns²)."""

    def __init__(
        self, start: Matrix, rule: Rule, arrays: Sequence[slice], schedule: Schedule | None, dtype: DTypeLike
    ) -> None:
        self.reported = -1
        self.theta = start.copy()
        self._next = np.empty_like(start)
        self._gradient = np.empty_like(start)
        self._optimiser = Optimiser(rule, self.theta, self._gradient, arrays)
        self._rates = Rates(schedule, self._optimiser)
        self._largest = float(np.finfo(dtype).max)
        self._rates.follow(1)

    @property
    def rate(self) -> float | None:
        """The rate of the next step, None for a rule without; setting it ends the schedule."""
        return self._optimiser.rate

    @rate.setter
    def rate(self, eta: float) -> None:
        self._rates.fix(eta)

    def back_off(self, theta: Matrix, factor: float) -> None:
        """Go on from here after the last report, with a fresh optimiser and all rates times a factor."""
        np.copyto(self.theta, theta)
        self._optimiser.reset()
        self._rates.scale(factor)
        self._rates.follow(self.reported + 1)

    def reports(self, forms: Forms, epochs: int, began: float) -> Iterator[EpochReport]:
        """The reports after the last one, up to `epochs`; the first one's seconds count from `began`."""
        with np.errstate(all="ignore"):
            loss = forms.train.gradient_and_loss(self.theta, self._gradient)
        if self.reported < 0:
            if not loss <= self._largest:
                raise loss_diverged(0)
            yield self._report(0, loss, forms, began)
        for epoch in range(self.reported + 1, epochs + 1):
            began = perf_counter()
            loss = self._step(forms.train, epoch)
            yield self._report(epoch, loss, forms, began)

    def _step(self, form: QuadraticLoss, epoch: int) -> float:
        """Make one update; return the loss after it, and write the gradient after it to its buffer."""
        θ, following, gradient = self.theta, self._next, self._gradient
        with np.errstate(all="ignore"):
            if self._optimiser.step():
                np.subtract(θ, gradient, out=following)
            else:
                np.copyto(following, θ)
            if not np.abs(following).max() <= self._largest:
                raise Diverged(epoch, PARAMETER)
            loss = form.gradient_and_loss(following, gradient)
        if not loss <= self._largest:
            raise loss_diverged(epoch)
        np.copyto(θ, following)
        return loss

    def _report(self, epoch: int, loss: float, forms: Forms, began: float) -> EpochReport:
        with np.errstate(all="ignore"):
            validation_loss = forms.validation_loss(self.theta)
            norm = math.sqrt(self._gradient @ self._gradient)
        self.reported = epoch
        self._rates.observe(loss if validation_loss is None else validation_loss)
        self._rates.follow(epoch + 1)
        return EpochReport(epoch, loss, validation_loss, self._optimiser.rate, norm, perf_counter() - began)

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        return {
            "counts": np.array([self.reported, self._rates.schedule is not None], np.int64),
            "theta": self.theta.copy(),
            **packed("optimiser", self._optimiser.state()),
            **packed("schedule", self._rates.state()),
        }

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self.reported, _ = arrays["counts"].tolist()
        np.copyto(self.theta, arrays["theta"])
        self._optimiser.restore(under("optimiser", arrays))
        self._rates.restore(under("schedule", arrays))
