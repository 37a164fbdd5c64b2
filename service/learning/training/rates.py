"""A schedule at work, and its state."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.schedules import Plateau, Schedule


class ScheduledRate:
    """A schedule at work: what `Plateau` has seen is its only state, and restoring it continues exactly."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.best, self.waited, self.drops = inf, 0, 0

    def at(self, t: int) -> float:
        if isinstance(self.schedule, Plateau):
            plateau = self.schedule
            return max(plateau.start * plateau.decay**self.drops, plateau.least)
        return self.schedule.rate(t)

    def observe(self, loss: float) -> None:
        """Take note of an epoch's loss."""
        if not isinstance(self.schedule, Plateau):
            return
        if loss < self.best - self.schedule.min_change:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited == self.schedule.patience:
            self.waited, self.drops = 0, self.drops + 1

    def state(self) -> dict[str, NDArray[Any]]:
        return {"best": np.array([self.best]), "counts": np.array([self.waited, self.drops], np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.best = float(state["best"][0])
        self.waited, self.drops = state["counts"].tolist()
