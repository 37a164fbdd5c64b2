"""The path of rules of second order: each step is made from the loss of all rows."""

from collections.abc import Generator, Iterator, Sequence
from time import perf_counter

import numpy as np

from service.learning.arrays import Array, Matrix, Saved, State, packed, under
from service.learning.layers import NOTHING
from service.learning.optimisers import LBFGS, LevenbergMarquardt, Rule, decay_of, second_order_rule
from service.learning.training.changes import Place
from service.learning.training.coordinates import Coordinates
from service.learning.training.events import EpochReport, Heartbeat
from service.learning.training.measuring import measure_loss
from service.learning.training.problem import Problem
from service.learning.training.second_order.lbfgs import LBFGSSteps
from service.learning.training.second_order.levenberg_marquardt import LevenbergMarquardtSteps
from service.learning.training.second_order.rows import RowSurface
from service.learning.training.second_order.surface import Surface


def steps_by(rule: Rule, start: Matrix, surface: Surface, dtype: str) -> LBFGSSteps | LevenbergMarquardtSteps:
    """Return the steps of the rule of second order in `rule`."""
    found = second_order_rule(rule)
    if isinstance(found, LBFGS):
        return LBFGSSteps(found, start, surface, dtype)
    assert isinstance(found, LevenbergMarquardt)
    return LevenbergMarquardtSteps(found, start, surface, dtype)


class SecondOrderPath:
    """A training by a rule of second order, at any moment between two blocks of rows; every place is a report.

    An epoch is a step that was kept: its report's seconds count the trials before it.
    """

    def __init__(self, problem: Problem, vector: Array, scaling: Coordinates | None = None) -> None:
        network, rule = problem.network, problem.recipe.optimiser
        self.break_at: Place | None = None
        self.epoch, self.reported, self._began = 0, -1, False
        self._problem, self._scaling = problem, scaling
        curved = isinstance(second_order_rule(rule), LevenbergMarquardt)
        self.surface = RowSurface(problem, scaling, curved=curved, decay=decay_of(rule))
        self._steps = steps_by(rule, vector.astype(np.float64), self.surface, network.dtype)
        self._frozen: frozenset[int] = NOTHING
        self._heartbeat = Heartbeat()
        self.freeze(problem.recipe.frozen)

    @property
    def vector(self) -> Array:
        """The parameters of the last step."""
        vector: Array = self._steps.theta.astype(self._problem.network.dtype)
        return vector

    @property
    def rate(self) -> float | None:
        """The length of the last step, where the rule searches one."""
        return self._steps.rate

    @rate.setter
    def rate(self, eta: float) -> None:
        raise ValueError("rules of second order have no rate")

    @property
    def place(self) -> Place | None:
        """The place after the last report; None before report 0, and within a step."""
        return Place(self.reported) if self.reported >= 0 and not self._in_step else None

    @property
    def _in_step(self) -> bool:
        return self.epoch > self.reported or self._began

    def freeze(self, paths: Sequence[str]) -> None:
        """Leave the layers at these paths as they are from now on, and train all others."""
        frozen = self._problem.network.arrays_of(paths)
        if frozen != self._frozen:
            self._frozen = frozen
            self.surface.freeze(frozen)
            self._steps.forget()

    def back_off(self, vector: Array, factor: float) -> None:
        """Raise: what has no rate has nothing to lower."""
        raise ValueError("rules of second order have no rate")

    def run(self, epochs: int) -> Iterator[float | EpochReport]:
        """Report after report to `epochs`; between, every fifth of a second, the fraction of the present pass."""
        began = perf_counter()
        if self.reported < 0 and np.isnan(self._steps.loss):
            yield from self._steps.begin()
        while True:
            if self.reported < self.epoch:
                yield (yield from self._report(began))
            if self.epoch == epochs:
                return
            began, self._began = perf_counter(), True
            yield from self._steps.step()
            self._began = False
            self.epoch += 1

    def _report(self, began: float) -> Generator[float, None, EpochReport]:
        validation, loss = self._problem.validation, None
        if validation is not None:
            self._heartbeat.reset()
            loss = yield from measure_loss(self._problem, validation, self.vector, self._scaling, self._heartbeat)
        self.reported = self.epoch
        return EpochReport(
            self.epoch, self._steps.loss, loss, self._steps.rate, self._steps.norm, perf_counter() - began
        )

    def state(self) -> State:
        """Copies of all that is needed to continue to the same bytes."""
        counts = np.array([self.epoch, self.reported, self._began], np.int64)
        return {"counts": counts, **packed("steps", self._steps.state()), **packed("pass", self.surface.state())}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self.epoch, self.reported, began = arrays["counts"].tolist()
        self._began = bool(began)
        self._steps.restore(under("steps", arrays))
        self.surface.restore(under("pass", arrays))
