"""The path of batches: gradients by back-propagation, one update per batch."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from service.learning.architecture import nodes
from service.learning.arrays import Array, Saved, State
from service.learning.backpropagation import BackPropagation
from service.learning.batches import Batches, Part
from service.learning.network import Network
from service.learning.recipe import Diverged, Recipe, Silence
from service.learning.rule import Optimiser


class Measured(NamedTuple):
    """Loss and gradient norm of an epoch; None where nothing was computed yet."""

    epoch: int
    loss: float | None
    gradient_norm: float | None


class BatchPath:
    """A training by batches, at any moment between two blocks of rows.

    `epoch` passes have updated the parameters; `position` rows of the next one are done, of which the present batch has
    so far gathered `gradient` and `batch_loss`.
    """

    def __init__(self, network: Network, vector: Array, train: Part, recipe: Recipe, silence: Silence) -> None:
        self.vector = vector
        self.batches = Batches(
            train, recipe.batch_size, partial=recipe.partial, shuffle=recipe.shuffle, seed=recipe.seed
        )
        self._silence = silence
        self._trainable = vector[: network.parameter_count]
        self._gradient = np.zeros_like(self._trainable)
        self._back_propagation = BackPropagation(
            network, vector, self._gradient, recipe.loss, self.batches, train.weights is not None
        )
        arrays = [
            slice(slot.start, slot.start + slot.size)
            for node in nodes(network.root)
            for slot in node.slots
            if slot.trainable
        ]
        self.optimiser = Optimiser(recipe.optimiser, self._trainable, self._gradient, arrays)
        self.whole = self.batches.single  # a pass is one batch: its loss is that of the parameters it began with
        self.epoch = 0
        self.reported = -1
        self.position = 0
        self._batch_loss = 0.0
        self._loss_sum = 0.0
        self._square_sum = 0.0

    def run(self, epochs: int) -> Iterator[float | Measured]:
        """Epoch after epoch to `epochs`: what is measured, which the caller marks as reported; between, fractions."""
        return self._whole(epochs) if self.whole else self._mini(epochs)

    def _whole(self, epochs: int) -> Iterator[float | Measured]:
        while True:
            yield from self._pass()
            if self.reported < self.epoch:
                yield Measured(self.epoch, self._batch_loss, math.sqrt(self._square_sum))
            if self.epoch == epochs:
                return
            with np.errstate(all="ignore"):
                self._update(self.epoch + 1)
            self.epoch += 1
            self._begin_pass()

    def _mini(self, epochs: int) -> Iterator[float | Measured]:
        while True:
            if self.reported < self.epoch:
                yield self._measured()
            if self.epoch == epochs:
                return
            if self.position == self.batches.rows:
                self._begin_pass()
            yield from self._pass()
            self.epoch += 1

    def _measured(self) -> Measured:
        if self.epoch == 0:
            return Measured(0, None, None)
        rows = self.batches.rows
        return Measured(self.epoch, self._loss_sum / rows, math.sqrt(self._square_sum / rows))

    def _begin_pass(self) -> None:
        self.position = 0
        self._loss_sum = self._square_sum = 0.0

    def _pass(self) -> Iterator[float]:
        self.batches.begin(self.epoch + 1)
        while self.position < self.batches.rows:
            with np.errstate(all="ignore"):  # not around a yield, which would carry it to the caller
                self._work()
            if self.position < self.batches.rows:
                yield self.position / self.batches.rows

    def _work(self) -> None:
        """Block after block, until the pass is over or something should be said."""
        back_propagation, rows = self._back_propagation, self.batches.rows
        size = min(self.batches.size, back_propagation.block_rows)
        one_block = size == self.batches.size
        while self.position < rows:
            start = self.position
            if one_block:
                stop = min(start + size, rows)
                self._batch_loss = back_propagation.block(start, stop)
                self._end_batch(stop - start)
            else:
                stop = self._add_block(start)
            self.position = stop
            if self._silence.too_long():
                return

    def _add_block(self, start: int) -> int:
        """One block of a batch that takes several; gives where it stops."""
        first = start - start % self.batches.size
        last = min(first + self.batches.size, self.batches.rows)
        stop = min(start + self._back_propagation.block_rows, last)
        loss = self._back_propagation.add_block(start, stop, last - first, start == first)
        self._batch_loss = loss if start == first else self._batch_loss + loss
        if stop == last:
            self._end_batch(last - first)
        return stop

    def _end_batch(self, rows: int) -> None:
        if not math.isfinite(self._batch_loss):
            raise Diverged(self.epoch + (not self.whole), "the loss is no longer finite")
        square = self._square(self._gradient)
        if self.whole:
            self._square_sum = square
        else:
            self._loss_sum += self._batch_loss * rows
            self._square_sum += square * rows
            self._update(self.epoch + 1)

    def _square(self, gradient: Array) -> float:
        """Σ g², in float64 where it overflows the dtype."""
        square = float(gradient.dot(gradient))
        return square if math.isfinite(square) else float(np.square(gradient, dtype=np.float64).sum())

    def _update(self, epoch: int) -> None:
        """One step of the optimiser.

        Raises:
            Diverged: before the parameters change, if one of them would not be finite.
        """
        x, step = self._trainable, self._gradient
        if not self.optimiser.step():
            return
        # A finite sum of squares leaves every parameter finite: the step is then small beside what rounds to infinity.
        if not math.isfinite(step.dot(step)) and not np.isfinite(x - step).all():
            raise Diverged(epoch, "a parameter is no longer finite")
        np.subtract(x, step, out=x)

    def state(self) -> State:
        """Copies of all that going on needs."""
        counts = np.array([self.epoch, self.reported, self.position], np.int64)
        sums = np.array([self._batch_loss, self._loss_sum, self._square_sum])
        arrays = {"vector": self.vector.copy(), "counts": counts, "sums": sums}
        if self.position % self.batches.size or self.whole:
            arrays["gradient"] = self._gradient.copy()
        return arrays | {f"optimiser.{name}": array for name, array in self.optimiser.state().items()}

    def restore(self, arrays: Saved) -> None:
        """Take over what `state` gave."""
        np.copyto(self.vector, arrays["vector"])
        if "gradient" in arrays:
            np.copyto(self._gradient, arrays["gradient"])
        self.epoch, self.reported, self.position = arrays["counts"].tolist()
        self._batch_loss, self._loss_sum, self._square_sum = arrays["sums"].tolist()
        prefix = "optimiser."
        self.optimiser.restore({n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)})
