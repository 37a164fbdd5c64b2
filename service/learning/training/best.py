"""The best loss so far, its parameters, and early stopping's patience."""

import math
from typing import Protocol

import numpy as np

from service.learning.arrays import Array, Saved, State
from service.learning.training.events import EpochReport
from service.learning.training.recipe import Monitored, Recipe


class HasVector(Protocol):
    """A holder of the parameters that the last report is about."""

    @property
    def vector(self) -> Array: ...


class BestSoFar:
    """The least loss so far, its parameters where the recipe may need them, and the number of epochs since.

    The loss is the one that early stopping monitors, else that of the validation part where there is one, else that of
    the training part.
    """

    def __init__(self, recipe: Recipe, *, has_validation: bool) -> None:
        self._stopping = recipe.early_stopping
        self._keeps = recipe.keeps_best or recipe.backoff is not None
        self.monitored: Monitored = "validation_loss" if has_validation else "train_loss"
        if self._stopping is not None:
            self.monitored = self._stopping.monitor
        self.best: tuple[int, float] | None = None
        self.best_vector: Array | None = None
        self._mark = math.inf
        self._waited = 0

    @property
    def patience_is_over(self) -> bool:
        """Whether early stopping's patience is at its end."""
        return self._stopping is not None and self._waited >= self._stopping.patience

    def observe(self, report: EpochReport, path: HasVector) -> bool:
        """Take note of a report, while `path` has its parameters; whether it is enough."""
        loss = report.validation_loss if self.monitored == "validation_loss" else report.train_loss
        if loss is None:
            return False
        if math.isfinite(loss) and (self.best is None or loss < self.best[1]):
            self.best = (report.epoch, loss)
            if self._keeps:
                self.best_vector = path.vector.copy()
        if self._stopping is None:
            return False
        if loss < self._mark - self._stopping.min_change:
            self._mark, self._waited = loss, 0
        else:
            self._waited += 1
        return self.patience_is_over

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        arrays: State = {"mark": np.array([self._mark]), "waited": np.array([self._waited])}
        if self.best is not None:
            arrays["best"] = np.array([float(self.best[0]), self.best[1]])
        if self.best_vector is not None:
            arrays["best_vector"] = self.best_vector.copy()
        return arrays

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self._mark = float(arrays["mark"][0])
        self._waited = int(arrays["waited"][0])
        if "best" in arrays:
            epoch, loss = arrays["best"].tolist()
            self.best = (int(epoch), loss)
        if "best_vector" in arrays:
            self.best_vector = arrays["best_vector"].copy()
