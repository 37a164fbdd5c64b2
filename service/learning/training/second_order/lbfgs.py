"""The steps of the limited-memory method of Broyden, Fletcher, Goldfarb and Shanno."""

from collections.abc import Generator

import numpy as np

from service.learning.arrays import Matrix, Saved, State
from service.learning.optimisers import LBFGS
from service.learning.training.events import loss_diverged
from service.learning.training.second_order.line_search import Point, line_search
from service.learning.training.second_order.surface import Surface, Survey, length

CURVED = 1e-10
"""Least cosine of a step and the change of the gradient: below, rounding decides what the pair tells."""


class LBFGSSteps:
    """A training by `LBFGS`, at any moment between two blocks of rows.

    `theta` is the last place that was kept, with `loss` and the `norm` of its gradient, and `rate` the length of the
    step that led there. `tried` are the points of the search that is on: a new one is led through them again.
    """

    def __init__(self, rule: LBFGS, start: Matrix, surface: Surface, dtype: str) -> None:
        self.theta = start.copy()
        self.loss = self.norm = np.nan
        self.rate: float | None = None
        self._memory, self._surface = rule.memory, surface
        self._precision = float(np.finfo(dtype).eps)
        self._target = np.inf
        self._gradient: Matrix | None = None
        self._steps: list[Matrix] = []
        self._changes: list[Matrix] = []
        self._tried: list[Point] = []
        self._settled = False

    def begin(self) -> Generator[float, None, None]:
        """Evaluate the start.

        Raises:
            Diverged: its loss or gradient is not finite.
        """
        here = yield from self._surface.evaluate(self.theta, np.inf)
        if here is None:
            raise loss_diverged(0)
        self._take(here)

    def forget(self) -> None:
        """Go on from the same place with other elements to train."""
        self._gradient, self._settled = None, False
        self._steps, self._changes = [], []

    def step(self) -> Generator[float, None, None]:
        """Go to the next place with a smaller loss; stay where there is none."""
        if self._gradient is None:
            yield from self.begin()
        while not self._settled:
            place = yield from self._search()
            if place is not None:
                return
            self._tried = []
            self._settled = not self._steps
            self._steps, self._changes = [], []
        self.rate = None

    def _search(self) -> Generator[float, None, Matrix | None]:
        """Search along the direction of the memory; return the place that was found and taken."""
        gradient = self._gradient
        assert gradient is not None
        direction = self._direction(gradient)
        start = Point(0.0, self._target, float(gradient @ direction))
        if not start.slope < 0:
            return None
        first = 1.0 if self._steps else min(1.0, 1 / length(gradient))
        search = line_search(start, first, self._precision * abs(self._target))
        trials, at = iter(self._tried.copy()), next(search)
        while True:
            trial, found = self._surface.rounded(self.theta + at * direction), None
            point = next(trials, None)
            if point is None:
                if np.array_equal(trial, self.theta):
                    return None
                found = yield from self._surface.evaluate(trial, np.inf)
                point = Point(at, np.inf, np.inf)
                if found is not None:
                    point = Point(at, found.target, float(found.gradient @ direction))
                self._tried.append(point)
            try:
                at = search.send(point)
            except StopIteration as end:
                if not end.value or found is None:
                    return None
                self._tried, self.rate = [], at
                self._remember(trial - self.theta, found.gradient - gradient)
                self.theta = trial
                self._take(found)
                return trial

    def _take(self, here: Survey) -> None:
        self._gradient, self.loss, self.norm, self._target = here.gradient, here.loss, here.norm, here.target

    def _remember(self, step: Matrix, change: Matrix) -> None:
        if float(step @ change) > CURVED * length(step) * length(change):
            self._steps = [*self._steps, step][-self._memory :]
            self._changes = [*self._changes, change][-self._memory :]

    def _direction(self, gradient: Matrix) -> Matrix:
        """-B g, by the two loops of J. Nocedal, "Updating Quasi-Newton Matrices with Limited Storage", 1980."""
        direction, shares = -gradient, []
        for step, change in zip(reversed(self._steps), reversed(self._changes), strict=True):
            share = float(step @ direction) / float(step @ change)
            direction -= share * change
            shares.append(share)
        if self._steps:
            step, change = self._steps[-1], self._changes[-1]
            direction *= float(step @ change) / float(change @ change)
        for step, change, share in zip(self._steps, self._changes, reversed(shares), strict=True):
            direction += (share - float(change @ direction) / float(step @ change)) * step
        return direction

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        rate = np.nan if self.rate is None else self.rate
        arrays: State = {
            "theta": self.theta.copy(),
            "numbers": np.array([self.loss, self.norm, self._target, rate, self._settled]),
            "steps": np.array(self._steps).reshape(-1, len(self.theta)),
            "changes": np.array(self._changes).reshape(-1, len(self.theta)),
            "tried": np.array(self._tried).reshape(-1, 3),
        }
        return arrays if self._gradient is None else arrays | {"gradient": self._gradient.copy()}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self.theta = arrays["theta"].copy()
        self.loss, self.norm, self._target, rate, settled = arrays["numbers"].tolist()
        self.rate, self._settled = None if np.isnan(rate) else rate, bool(settled)
        self._steps, self._changes = ([*arrays[name].copy()] for name in ("steps", "changes"))
        self._tried = [Point(*row) for row in arrays["tried"].tolist()]
        self._gradient = arrays["gradient"].copy() if "gradient" in arrays else None
