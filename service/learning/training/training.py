"""Training, from the first report to the parameters to keep."""

import math
from collections.abc import Generator, Iterator, Sequence
from typing import Literal, TypeVar, cast

import numpy as np

from service.learning.arrays import Array, Saved, State, packed, under
from service.learning.rows.part import Part
from service.learning.training.best import BestSoFar
from service.learning.training.changes import Change, Changes, Place, StopReason
from service.learning.training.coordinates import Coordinates, measured
from service.learning.training.events import BackedOff, Diverged, EpochReport, Heartbeat, Progress
from service.learning.training.measuring import measure_loss
from service.learning.training.paths import Path, begin_path
from service.learning.training.problem import Problem
from service.learning.training.quadratic.path import QuadraticPath
from service.learning.training.recipe import Monitored, check, check_frozen, check_rate

Result = TypeVar("Result")


class Training:
    """One training of one network; `run` continues from its present place, and `state` may be taken whenever it yields.

    With `standardise`, `fresh` parameters (seeded, never trained) are read as those for standardised inputs; all others
    are converted so that the function stays. `changes` are those recorded of the same training: each is made again at
    its place.

    Raises:
        RecipeError: the recipe does not fit network or rows.
    """

    def __init__(
        self, problem: Problem, parameters: Array, *, fresh: bool = False, changes: Sequence[Change] = ()
    ) -> None:
        self.recipe, self._network, self._train = problem.recipe, problem.network, problem.train
        weighted = self._train.weights is not None
        rows, numbers = (len(self._train), problem.validation_rows), self._train.has_numbers
        check(self.recipe, self._network, *rows, weighted=weighted, numbers=numbers)
        self._problem = problem
        self.initial_loss: float | None = None
        self.ended_by: Literal["epochs", "early_stopping"] | StopReason | None = None
        self._start = np.array(parameters, self._network.dtype)
        self._fresh = fresh
        self._heartbeat = Heartbeat()
        self._scaling: Coordinates | None = None
        self._path = None if self.recipe.standardise else self._make_path(self._start)
        self._best = BestSoFar(self.recipe, has_validation=problem.validation is not None)
        self._final_loss: float | None = None
        self.standardised_loss: float | None = None
        """The loss of the result for standardised inputs, where for raw ones it may be another for want of digits."""
        self._changes = Changes(changes)
        self._stop_asked: StopReason | None = None
        self._measures_result = False

    @property
    def rows(self) -> int:
        """Rows of an epoch."""
        return len(self._train)

    def _make_path(self, start: Array) -> Path:
        return begin_path(self._problem, start, self._scaling)

    def run(self) -> Iterator[EpochReport | Progress]:
        """Yield reports from 0 (or the present epoch) to the last, and some event at least every quarter of a second.

        Raises:
            Diverged: the loss or a parameter would not be finite; `parameters` are then the last finite ones.
            ValueError: the training was never at the place of a recorded change.
        """
        self._heartbeat.reset()
        path = self._path or (yield from self._standardise())
        self._make_changes(path)
        self._changes.changed_at = None
        over = self._best.patience_is_over or self._changes.stop is not None
        while not over:
            try:
                yield from self._events(path)
                over = True
            except Diverged as error:
                yield self._back_off(path, error)
                self._changes.changed_at = None
                over = self._changes.stop is not None
        self._changes.check_reached(math.inf)
        self._measures_result = True
        yield from self._measure_result()
        self.ended_by = self._changes.stop or ("early_stopping" if self._best.patience_is_over else "epochs")

    def _events(self, path: Path) -> Iterator[EpochReport | Progress]:
        """The path's events, until the last epoch, the end of patience or a stop."""
        observe, changes, patience_is_over = self._best.observe, self._changes, False
        made = changes.made
        for step in path.run(self.recipe.epochs):
            if not isinstance(step, float):
                if self.initial_loss is None:
                    self.initial_loss = step.train_loss
                patience_is_over = observe(step, path)
            if changes.next is not None or self._stop_asked is not None:
                self._make_changes(path)
            yield self._progress(step) if isinstance(step, float) else step
            if changes.made > made:
                made, changes.changed_at = changes.made, None
            if patience_is_over or changes.stop is not None:
                return

    def _make_changes(self, path: Path) -> None:
        """Make the changes that are recorded for the present place, or the stop that was asked for before."""
        self._changes.catch_up(path)
        if self._stop_asked is not None and self.place is not None:
            self.stop(self._stop_asked)

    def _back_off(self, path: Path, error: Diverged) -> BackedOff:
        """Go back to the best parameters so far; where there are none, or no try is left, raise the error."""
        backoff, vector, best = self.recipe.backoff, self._best.best_vector, self._best.best
        if backoff is None or self._changes.backoffs == backoff.tries or vector is None or best is None:
            raise error
        path.back_off(vector, backoff.factor)
        self._changes.backoffs += 1
        event = BackedOff(self.epochs_done, 0.0, best[0], self._changes.backoffs, path.rate, str(error))
        self._make_changes(path)
        return event

    def _standardise(self) -> Generator[Progress, None, Path]:
        self._scaling = yield from self._told(measured(self._train, self.recipe.standardise, self._network.dtype))
        start = self._start if self._fresh else self._scaling.to_standardised(self._network, self._start)
        self._path = self._make_path(start)
        return self._path

    def _measure_result(self) -> Iterator[Progress]:
        best, scaled = self._best.best_vector, self._scaling
        learnt = self._path.vector if best is None and self._path is not None else best
        if scaled is not None and learnt is not None and scaled.is_lossy(self._network, learnt):
            self.standardised_loss = yield from self._measure(learnt, self._train, scaled)
        self._final_loss = yield from self._measure(self.result(), self._train)
        if not math.isfinite(self._final_loss):
            raise Diverged(self.epochs_done, "the loss of the trained network is not finite")

    def _measure(
        self, vector: Array, part: Part, scaled: Coordinates | None = None
    ) -> Generator[Progress, None, float]:
        """Return the loss of parameters for raw rows, or for `scaled` ones, over a whole part, in test mode; may not be
        finite.
        """
        if part is self._train and scaled is None and isinstance(self._path, QuadraticPath):
            known = self._path.loss(vector)
            if known is not None:
                return known
        return (yield from self._told(measure_loss(self._problem, part, vector, scaled, self._heartbeat)))

    def _told(self, work: Generator[float, None, Result]) -> Generator[Progress, None, Result]:
        """Do work that yields now and then; tell of it when an event is due."""
        while True:
            try:
                next(work)
            except StopIteration as end:
                return cast("Result", end.value)
            if self._heartbeat.due():
                yield self._progress(0.0)

    @property
    def judged_part(self) -> Literal["validation", "train"]:
        """The part on which parameters are compared once the training has ended."""
        return "train" if self._problem.validation is None else "validation"

    def judge(self, vector: Array, part: Part | None = None) -> Generator[Progress, None, float]:
        """Return the loss of parameters over the `judged_part`; equal ones have equal losses.

        `part` has the same rows for parameters that take their columns in another order.
        """
        return (yield from self._measure(vector, part or self._problem.parts[self.judged_part]))

    def judge_result(self) -> Generator[Progress, None, float]:
        """Return the same of `result`."""
        if self.judged_part == "train":
            return self.final_loss()
        return (yield from self.judge(self.result()))

    def judge_start(self) -> Generator[Progress, None, float]:
        """Return the same of the parameters that the training began from; fresh ones act on what it standardises."""
        return (yield from self.judge(self._raw(self._start) if self._fresh else self._start))

    def _progress(self, fraction: float) -> Progress:
        self._heartbeat.reset()
        reported = self._path is not None and self._path.reported >= 0
        return Progress(self.epochs_done, fraction if reported and self.epochs_done < self.recipe.epochs else 0.0)

    @property
    def epochs_done(self) -> int:
        """The epoch of the last report; 0 before any."""
        return 0 if self._path is None else max(0, self._path.reported)

    @property
    def best(self) -> tuple[int, float] | None:
        """The epoch of the least `monitored` loss so far, and that loss."""
        return self._best.best

    @property
    def monitored(self) -> Monitored:
        """The loss that early stopping monitors, else that of the validation part where there is one."""
        return self._best.monitored

    @property
    def parameters(self) -> Array:
        """A copy of the present flat vector, for raw inputs."""
        return self._start.copy() if self._path is None else self._raw(self._path.vector)

    def _raw(self, vector: Array) -> Array:
        return vector.copy() if self._scaling is None else self._scaling.to_raw(self._network, vector)

    def result(self) -> Array:
        """The vector to store: the last parameters, or the best where the recipe keeps these."""
        best = self._best.best_vector if self.recipe.keeps_best else None
        return self.parameters if best is None else self._raw(best)

    def final_loss(self) -> float:
        """The loss of `result` over the whole training part, in test mode."""
        if self._final_loss is None:
            train = self._train
            self._final_loss = self._network.loss(
                self.result(), train.inputs, train.targets, self.recipe.loss, train.weights
            )
        return self._final_loss

    @property
    def place(self) -> Place | None:
        """The place where a change would take hold now, the same until `run` goes on; None where none can.

        That is so before report 0, while a part is evaluated or the result measured, after a stop, and until all
        recorded changes are made.
        """
        path, ended = self._path, self._measures_result or self._changes.stop is not None
        return None if path is None or ended or self._changes.next is not None else self._changes.place_of(path)

    def change(self, *, rate: float | None = None, frozen: Sequence[str] | None = None) -> Change:
        """Use another rate from the next step on, in place of a schedule; freeze these layers, and thaw all others.

        The optimiser's state stays. A batch that has begun begins again where other layers are frozen.

        Raises:
            RecipeError: the optimiser has no rate, the rate is none, or these layers cannot be frozen.
            RuntimeError: the training has no place now.
        """
        if rate is not None:
            check_rate(self.recipe, rate, self._network.dtype)
        if frozen is not None:
            check_frozen(self.recipe, self._network, frozen, self._train.has_numbers)
        place = self.place
        if place is None or self._path is None:
            raise RuntimeError("a change takes hold at a place alone, and the training has none now")
        change = Change(place, rate, None if frozen is None else tuple(frozen))
        self._changes.make(change, self._path)
        return change

    def stop(self, by: StopReason = "stop") -> Change | None:
        """End `run` after the present event, as if that had been the last.

        Where the training has no place now, return None: it stops at the next one, report 0 for example.
        """
        place = self.place
        if place is None or self._path is None:
            self._stop_asked = by
            return None
        self._stop_asked = None
        change = Change(place, stop=by)
        self._changes.make(change, self._path)
        return change

    def state(self) -> State:
        """All that is needed to continue to the same bytes, as arrays of its own."""
        if self._path is None:
            return {}
        arrays = packed("path", self._path.state()) | packed("watch", self._best.state())
        if self.initial_loss is not None:
            arrays["initial_loss"] = np.array([self.initial_loss])
        if self._scaling is not None:
            arrays |= packed("scaling", self._scaling.state())
        if self._changes.made:
            arrays["changes"] = np.array([self._changes.made])
        if self._changes.backoffs:
            arrays["backoffs"] = np.array([self._changes.backoffs])
        return arrays

    def restore(self, state: Saved) -> None:
        """Go back to where `state` was taken, by a training of the same network, parts, recipe and changes so far."""
        self._changes.go_to(int(state["changes"][0]) if "changes" in state else 0)
        self._changes.backoffs = int(state["backoffs"][0]) if "backoffs" in state else 0
        self._measures_result = False
        scaled = under("scaling", state)
        self._scaling = Coordinates.from_state(scaled) if scaled else None
        self._path = self._make_path(self._start) if state or not self.recipe.standardise else None
        self._best = BestSoFar(self.recipe, has_validation=self._problem.validation is not None)
        self.initial_loss = float(state["initial_loss"][0]) if "initial_loss" in state else None
        self._final_loss = None
        if self._path is not None and state:
            if self._changes.frozen is not None:
                self._path.freeze(self._changes.frozen)
            self._path.restore(under("path", state))
            self._best.restore(under("watch", state))
