"""The schedule that follows the losses, and what it has to remember."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Annotated, Any

import numpy as np
from annotated_types import Lt
from numpy.typing import NDArray

from service.learning.schedule import SCHEDULES, Schedule
from service.learning.vocabulary import Count, NonNegative, Positive, TermError


@SCHEDULES.add
@dataclass(frozen=True, slots=True)
class Plateau(Schedule):
    """start decay^d, d counting how often `patience` epochs in a row brought no loss below best - min_change

    The loss is the one that the best parameters go by. Flux's `plateau` compares with the last score instead of the
    best, and lets one noisy epoch hide a plateau.
    """

    name = "Plateau"
    follows_losses = True

    start: Positive
    decay: Annotated[Positive, Lt(1)] = 0.1
    patience: Count = 10
    min_change: NonNegative = 1e-6
    least: NonNegative = 0.0

    def __post_init__(self) -> None:
        Schedule.__post_init__(self)
        if self.per != "epoch":
            raise TermError(self.name, "per", "must be 'epoch': losses are known once an epoch")

    def rate(self, t: int) -> float:
        return self.start


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
