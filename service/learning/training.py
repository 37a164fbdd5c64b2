"""Training, from the first report to the parameters to keep."""

import math
from collections.abc import Generator, Iterator
from time import perf_counter
from typing import Literal

import numpy as np

from service.learning.arrays import Array, Saved, State
from service.learning.batches import Part
from service.learning.network import Network
from service.learning.plan import Plan, plan
from service.learning.recipe import Diverged, EpochReport, Progress, Recipe, Silence
from service.learning.stepping import BatchPath, Measured

__all__ = ["Diverged", "EpochReport", "Part", "Plan", "Progress", "Recipe", "Training", "plan"]


class Training:
    """One training of one network; `run` goes on from wherever it is, and `state` may be taken whenever it yields."""

    def __init__(
        self, network: Network, parameters: Array, train: Part, validation: Part | None, recipe: Recipe
    ) -> None:
        self._network = network
        self._train = train
        self._validation = validation
        self.recipe = recipe
        self._silence = Silence()
        self._path = BatchPath(network, np.array(parameters, network.dtype), train, recipe, self._silence)
        self._best_parameters: Array | None = None
        self.best: tuple[int, float] | None = None
        self._final_loss: float | None = None
        self.initial_loss: float | None = None
        self.ended_by: Literal["epochs"] | None = None

    def run(self) -> Iterator[EpochReport | Progress]:
        """Reports from 0 (or where the training stands) to the last epoch; something every quarter of a second.

        Raises:
            Diverged: the loss or a parameter would not be finite; `parameters` are then the last finite ones.
        """
        began = perf_counter()
        self._silence.broken()
        for event in self._path.run(self.recipe.epochs):
            if isinstance(event, Measured):
                yield (yield from self._report(event, began))
                began = perf_counter()
            else:
                yield self._progress(event)
            self._silence.broken()
        self._final_loss = yield from self._evaluate(self._train, self.result())
        self.ended_by = "epochs"

    def _report(self, measured: Measured, began: float) -> Generator[Progress, None, EpochReport]:
        path, (epoch, loss, norm) = self._path, measured
        if loss is None:
            loss = yield from self._evaluate(self._train, path.vector)
        if not math.isfinite(loss):
            raise Diverged(epoch, "the loss is not finite")
        validation_loss = None
        if self._validation is not None:
            validation_loss = yield from self._evaluate(self._validation, path.vector)
        if epoch == 0:
            self.initial_loss = loss
        self._keep_best(epoch, loss if validation_loss is None else validation_loss)
        path.reported = epoch
        return EpochReport(epoch, loss, validation_loss, path.optimiser.rate, norm, perf_counter() - began)

    def _evaluate(self, part: Part, vector: Array) -> Generator[Progress, None, float]:
        total = self.recipe.loss.total()
        for _ in self._network.measure(vector, part.inputs, part.targets, total, part.weights):
            if self._silence.too_long():
                yield self._progress(0.0)
                self._silence.broken()
        return total.value

    def _progress(self, fraction: float) -> Progress:
        return Progress(self.epochs_done, fraction if self._path.reported >= 0 else 0.0)

    def _keep_best(self, epoch: int, loss: float) -> None:
        if self.best is None or loss < self.best[1]:
            self.best = (epoch, loss)
            if self.recipe.keep == "best":
                self._best_parameters = self._path.vector.copy()

    @property
    def epochs_done(self) -> int:
        """The epoch of the last report; 0 before any."""
        return max(0, self._path.reported)

    @property
    def parameters(self) -> Array:
        """A copy of the present flat vector."""
        return self._path.vector.copy()

    def result(self) -> Array:
        """The vector to store: the last parameters, or the best where the recipe keeps these."""
        return self.parameters if self._best_parameters is None else self._best_parameters.copy()

    def final_loss(self) -> float:
        """The loss of `result` over the whole training part, in test mode."""
        if self._final_loss is None:
            train = self._train
            self._final_loss = self._network.loss(
                self.result(), train.inputs, train.targets, self.recipe.loss, train.weights
            )
        return self._final_loss

    def change_rate(self, eta: float) -> None:
        """Use another rate from the next step on; what the optimiser remembers stays."""
        self._path.optimiser.rate = eta

    def state(self) -> State:
        """All that going on to the same bytes needs, as arrays of its own."""
        arrays = self._path.state()
        arrays["initial_loss"] = np.array([math.nan if self.initial_loss is None else self.initial_loss])
        if self.best is not None:
            arrays["best"] = np.array([float(self.best[0]), self.best[1]])
        if self._best_parameters is not None:
            arrays["best_parameters"] = self._best_parameters.copy()
        return arrays

    def restore(self, state: Saved) -> None:
        """Go back to where `state` was taken, by a training of the same network, parts and recipe."""
        self._path.restore(state)
        initial = float(state["initial_loss"][0])
        self.initial_loss = None if math.isnan(initial) else initial
        self._final_loss = None
        if "best" in state:
            epoch, loss = state["best"].tolist()
            self.best = (int(epoch), loss)
        if "best_parameters" in state:
            self._best_parameters = state["best_parameters"].copy()
