"""The rate of an optimiser at work: its own, or that of a schedule."""

from math import inf

import numpy as np

from service.learning.arrays import Saved, State
from service.learning.optimisers import Optimiser
from service.learning.schedules import Plateau, Schedule


class Rates:
    """The rates of one training: a schedule's until another rate is set, else what the optimiser has.

    What a `Plateau` has seen and the factor of `scale` are the only state, and restoring it continues exactly.
    """

    def __init__(self, schedule: Schedule | None, optimiser: Optimiser) -> None:
        self.schedule = schedule
        self.optimiser = optimiser
        self._factor = 1.0
        self._best, self._waited, self._drops = inf, 0, 0

    def follow(self, t: int) -> None:
        """Give the optimiser the rate of epoch (or step) t."""
        if self.schedule is not None:
            self.optimiser.rate = self._at(self.schedule, t) * self._factor

    def fix(self, eta: float) -> None:
        """Give the optimiser this rate from now on, and end the schedule."""
        self.optimiser.rate, self.schedule = eta, None

    def scale(self, factor: float) -> None:
        """Multiply all rates from now on; the schedule's show it when they are followed."""
        if self.schedule is None:
            self.optimiser.scale_rate(factor)
        else:
            self._factor *= factor

    def _at(self, schedule: Schedule, t: int) -> float:
        if isinstance(schedule, Plateau):
            return max(schedule.start * schedule.decay**self._drops, schedule.least)
        return schedule.rate(t)

    def observe(self, loss: float) -> None:
        """Take note of an epoch's loss."""
        if not isinstance(self.schedule, Plateau):
            return
        if loss < self._best - self.schedule.min_change:
            self._best, self._waited = loss, 0
            return
        self._waited += 1
        if self._waited == self.schedule.patience:
            self._waited, self._drops = 0, self._drops + 1

    def state(self) -> State:
        """Copies of all that is needed to continue; nothing where there is no schedule."""
        if self.schedule is None:
            return {}
        arrays: State = {"best": np.array([self._best]), "counts": np.array([self._waited, self._drops], np.int64)}
        return arrays if self._factor == 1 else arrays | {"factor": np.array([self._factor])}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`; a schedule that was ended then ends here."""
        if not arrays:
            self.schedule = None
            return
        self._best = float(arrays["best"][0])
        self._waited, self._drops = arrays["counts"].tolist()
        self._factor = float(arrays["factor"][0]) if "factor" in arrays else 1.0
