"""The path of batches: gradients by back-propagation, one update per batch."""

import math
from collections.abc import Generator, Iterator, Sequence
from time import perf_counter

import numpy as np

from service.learning.arrays import Array, Saved, State, packed, under
from service.learning.layers import NOTHING
from service.learning.optimisers import Optimiser, square
from service.learning.rows.part import Part
from service.learning.training.batches.averaging import RunningAverage
from service.learning.training.batches.backpropagation import BackPropagation
from service.learning.training.changes import Place
from service.learning.training.coordinates import Coordinates
from service.learning.training.events import PARAMETER, Diverged, EpochReport, Heartbeat, loss_diverged
from service.learning.training.measuring import measure_loss
from service.learning.training.problem import Problem
from service.learning.training.rates import Rates


class BatchPath:
    """A training by batches, at any moment between two blocks of rows.

    `epoch` passes have updated the parameters, `reported` is the last one with a report; `position` rows of the next
    pass are done, and the present batch has so far gathered a gradient and a loss. The work pauses at `break_at`.
    """

    def __init__(self, problem: Problem, vector: Array, scaling: Coordinates | None = None) -> None:
        recipe = problem.recipe
        self._vector = vector.copy()
        self._problem = problem
        self._scaling = scaling
        self._heartbeat = Heartbeat()
        self._average = None if recipe.average is None else RunningAverage(recipe.average.decay, vector)
        self._trainable = self._vector[: problem.network.parameter_count]
        self._gradient = np.zeros_like(self._trainable)
        self._source = BackPropagation(problem, self._vector, self._gradient, scaling)
        slots = [slot for node in problem.nodes for slot in node.slots if slot.trainable]
        arrays = [slice(slot.start, slot.start + slot.size) for slot in slots]
        self._frozen: frozenset[int] = NOTHING
        self._optimiser = Optimiser(
            recipe.optimiser, self._trainable, self._gradient, arrays, problem.network.hidden_weights
        )
        self._rates = Rates(recipe.schedule, self._optimiser)
        self._per_step = recipe.schedule is not None and recipe.schedule.per == "step"
        self._gathers = any(slot for node in problem.nodes for slot in node.slots if not slot.trainable)
        differs = any(node.layer.differs_in_training for node in problem.nodes)
        # A pass of one batch tells the loss of the parameters that it begins with.
        self._whole = self._source.size == len(problem.train) and not differs
        self.break_at: Place | None = None
        self.epoch = 0
        self.reported = -1
        self.position = 0
        self._steps = 0
        self._batch_loss = 0.0
        self._loss_sum = 0.0
        self._square_sum = 0.0
        self._follow_schedule()
        self.freeze(recipe.frozen)

    @property
    def vector(self) -> Array:
        """The parameters that reports are about: the average, where the recipe asks for one."""
        return self._vector if self._average is None else self._average.vector

    @property
    def rate(self) -> float | None:
        """The rate of the next step; None for a rule without. Setting it ends the schedule."""
        return self._optimiser.rate

    @rate.setter
    def rate(self, eta: float) -> None:
        self._rates.fix(eta)

    @property
    def place(self) -> Place | None:
        """The present place; None before report 0, between a pass and its report, and in a pass that is done again."""
        updated = self.epoch > self.reported
        if self.reported < 0:
            return None
        if 0 < self.position < self._source.rows:
            return Place(self.reported, self.position) if updated == self._whole else None
        return None if updated else Place(self.reported)

    def freeze(self, paths: Sequence[str]) -> None:
        """Leave the layers at these paths as they are from now on, and train all others.

        A batch that has begun begins again: what it gathered lacks the gradients of layers that were frozen.
        """
        frozen = self._problem.network.arrays_of(paths)
        if frozen == self._frozen:
            return
        self._frozen = frozen
        self._source.freeze(frozen)
        self._optimiser.leave_out(frozen)
        if self._whole:
            self.position = 0
        elif self.position < self._source.rows:
            self.position -= self.position % self._source.size

    def back_off(self, vector: Array, factor: float) -> None:
        """Go on after the last report with these parameters, a fresh optimiser, and all rates times a factor."""
        np.copyto(self._vector, vector)
        if self._average is not None:
            self._average.begin(vector)
        self._optimiser.reset()
        self._rates.scale(factor)
        self.epoch = self.reported
        self._steps = self.epoch * -(-self._source.rows // self._source.size) if self._per_step else 0
        self._begin_pass()
        self._follow_schedule()

    def run(self, epochs: int) -> Iterator[float | EpochReport]:
        """Report after report to `epochs`; between, every fifth of a second, the fraction of the present pass."""
        self._heartbeat.reset()
        passes = self._passes_of_one_batch(epochs) if self._whole else self._passes(epochs)
        for event in passes:
            yield event
            self._heartbeat.reset()

    def _passes_of_one_batch(self, epochs: int) -> Iterator[float | EpochReport]:
        began = perf_counter()
        while True:
            yield from self._pass()
            if self.reported < self.epoch:
                yield (yield from self._report(self._batch_loss, math.sqrt(self._square_sum), began))
            if self.epoch == epochs:
                return
            if self.position < self._source.rows:  # layers were frozen or thawed at the report
                continue
            began = perf_counter()
            with np.errstate(all="ignore"):
                self._add_to_average(moved=self._update())
            self.epoch += 1
            self._begin_pass()

    def _passes(self, epochs: int) -> Iterator[float | EpochReport]:
        began = perf_counter()
        while True:
            if self.reported < self.epoch:
                loss, norm = yield from self._measured()
                yield (yield from self._report(loss, norm, began))
            if self.epoch == epochs:
                return
            began = perf_counter()
            if self.position == self._source.rows:
                self._begin_pass()
            yield from self._pass()
            self.epoch += 1

    def _measured(self) -> Generator[float, None, tuple[float, float]]:
        if self.epoch == 0:
            loss = yield from self._evaluate(self._problem.train)
            with np.errstate(all="ignore"):
                return loss, math.sqrt(self._source.first_square())
        rows = self._source.rows
        return self._loss_sum / rows, math.sqrt(self._square_sum / rows)

    def _report(self, loss: float, norm: float, began: float) -> Generator[float, None, EpochReport]:
        averages = self._average is not None and self.epoch  # what the passes tell is about other parameters
        if averages and self._problem.losses_are_read:
            loss = yield from self._evaluate(self._problem.train)
        if not math.isfinite(loss):
            raise loss_diverged(self.epoch)
        validation_loss = None
        if self._problem.validation is not None:
            validation_loss = yield from self._evaluate(self._problem.validation)
        self.reported = self.epoch
        self._rates.observe(loss if validation_loss is None else validation_loss)
        self._follow_schedule()
        return EpochReport(self.epoch, loss, validation_loss, self.rate, norm, perf_counter() - began)

    def _evaluate(self, part: Part) -> Generator[float, None, float]:
        return (yield from measure_loss(self._problem, part, self.vector, self._scaling, self._heartbeat))

    def _follow_schedule(self) -> None:
        self._rates.follow((self._steps if self._per_step else self.epoch) + 1)

    def _begin_pass(self) -> None:
        self.position = 0
        self._loss_sum = self._square_sum = 0.0

    def _pass(self) -> Iterator[float]:
        self._source.begin_epoch(self.epoch + 1)
        while self.position < self._source.rows:
            with np.errstate(all="ignore"):  # not around a yield, which would carry it to the caller
                self._work()
            if self.position < self._source.rows:
                yield self.position / self._source.rows

    def _work(self) -> None:
        """Work block after block, until the pass is over, its break is reached, or an event is due."""
        source, rows, size = self._source, self._source.rows, self._source.size
        one_block, end, place = source.block_rows == size, rows, self.break_at
        if place is not None and place.epoch == self.reported and self.position < place.position:
            end = min(place.position, rows)
        while self.position < end:
            start = self.position
            if one_block:
                stop = min(start + size, rows)
                self._batch_loss = source.block(start, stop)
                self._end_batch(stop - start)
            else:
                stop = self._add_block(start)
            self.position = stop
            if self._heartbeat.due():
                return

    def _add_block(self, start: int) -> int:
        """Add one block of a batch that takes several; return its end."""
        first = start - start % self._source.size
        last = min(first + self._source.size, self._source.rows)
        stop = min(start + self._source.block_rows, last)
        loss = self._source.add_block(start, stop, last - first, start == first)
        self._batch_loss = loss if start == first else self._batch_loss + loss
        if stop == last:
            self._end_batch(last - first)
        return stop

    def _end_batch(self, rows: int) -> None:
        if not math.isfinite(self._batch_loss):
            raise loss_diverged(self.epoch + (not self._whole))
        if self._whole:
            self._square_sum = square(self._gradient)
            return
        moved = self._update()
        self._loss_sum += self._batch_loss * rows
        self._square_sum += self._optimiser.gradient_square * rows
        if self._gathers:
            self._source.commit(rows)
        self._add_to_average(moved=moved)

    def _add_to_average(self, *, moved: bool) -> None:
        if self._average is not None and moved:
            self._average.add(self._vector)

    def _update(self) -> bool:
        """Make one step of the optimiser; return whether it moved the parameters.

        Raises:
            Diverged: before the parameters change, if one of them would not be finite.
        """
        x, step = self._trainable, self._gradient
        moved = self._optimiser.step()
        if moved:
            # A finite sum of squares leaves every parameter finite: the step is small beside what rounds to infinity.
            if not math.isfinite(self._optimiser.step_square) and not np.isfinite(x - step).all():
                raise Diverged(self.epoch + 1, PARAMETER)
            np.subtract(x, step, x)
        if self._per_step:
            self._steps += 1
            self._follow_schedule()
        return moved

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        counts = [self.epoch, self.reported, self.position, self._steps, self._rates.schedule is not None]
        arrays = {
            "vector": self._vector.copy(),
            "counts": np.array(counts, np.int64),
            "sums": np.array([self._batch_loss, self._loss_sum, self._square_sum]),
        }
        if self._whole or self.position % self._source.size:
            arrays["gradient"] = self._gradient.copy()
        if self._average is not None:
            arrays |= packed("average", self._average.state())
        return arrays | packed("schedule", self._rates.state()) | packed("optimiser", self._optimiser.state())

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        np.copyto(self._vector, arrays["vector"])
        if self._average is not None:
            self._average.restore(under("average", arrays))
        if "gradient" in arrays:
            np.copyto(self._gradient, arrays["gradient"])
        self.epoch, self.reported, self.position, self._steps, _ = arrays["counts"].tolist()
        self._batch_loss, self._loss_sum, self._square_sum = arrays["sums"].tolist()
        self._optimiser.restore(under("optimiser", arrays))
        self._rates.restore(under("schedule", arrays))
