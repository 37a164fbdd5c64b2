"""The steps of Levenberg and Marquardt."""

from collections.abc import Generator

import numpy as np

from service.learning.arrays import Matrix, Saved, State
from service.learning.optimisers import LevenbergMarquardt
from service.learning.training.events import loss_diverged
from service.learning.training.second_order.surface import Surface, Survey, length

LEAST_DAMPING, MOST_DAMPING = np.finfo(np.float64).eps, 1e16
"""The least and the largest damping."""
BELOW_PROMISE, AS_PROMISED = 0.25, 0.75
"""Shares of the promised decrease: below the one the damping grows, above the other it shrinks."""
DISCERNIBLE = 0.01
"""Times the dtype's precision: the share of the loss below which a promised decrease cannot be told from rounding."""


class LevenbergMarquardtSteps:
    """A training by `LevenbergMarquardt`, at any moment between two blocks of rows.

    `theta` is the last place that was kept, with `loss` and the `norm` of its gradient; `trial` is the one that is
    tried. After `settled` no step lowers the loss by what rounding leaves.
    """

    rate: float | None = None

    def __init__(self, rule: LevenbergMarquardt, start: Matrix, surface: Surface, dtype: str) -> None:
        self.theta = start.copy()
        self.loss = self.norm = np.nan
        self._rule, self._surface = rule, surface
        self._least_share = DISCERNIBLE * float(np.finfo(dtype).eps)
        self._damping, self._promised, self._target = rule.damping, 0.0, np.inf
        self._settled = False
        self._here: Survey | None = None
        self._trial: Matrix | None = None
        self._size: Matrix | None = None  # of each column the largest so far: a unit that saturates makes no wild steps

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
        """Go on from the same place with other elements to train, damped as at the start."""
        self._damping = self._rule.damping
        self._here, self._settled, self._target, self._size = None, False, np.inf, None

    def step(self) -> Generator[float, None, None]:
        """Go to the next place with a smaller loss; stay where there is none."""
        while not self._settled:
            if self._trial is None:
                if self._here is None:
                    self._here = yield from self._surface.evaluate(self.theta, np.inf)
                    if self._here is None:
                        raise loss_diverged(0)
                    self._target = self._here.target
                self._trial = self._next(self._here)
                if self._trial is None:
                    self._settled = True
                    return
            found = yield from self._surface.evaluate(self._trial, self._target)
            trial, self._trial = self._trial, None
            if found is None:
                self._damp(self._rule.up)
                continue
            share = (self._target - found.target) / self._promised
            if share < BELOW_PROMISE:
                self._damp(self._rule.up)
            elif share > AS_PROMISED:
                self._damp(self._rule.down)
            self.theta = trial
            self._take(found)
            return

    def _take(self, here: Survey) -> None:
        self._here, self.loss, self.norm, self._target = here, here.loss, here.norm, here.target

    def _damp(self, factor: float) -> None:
        self._damping = min(max(self._damping * factor, LEAST_DAMPING), MOST_DAMPING)

    def _next(self, here: Survey) -> Matrix | None:
        """Return the place that the present damping leads to; None where all steps are too small to tell."""
        assert here.curvature is not None
        surface, gradient = self._surface, self._surface.columns(here.gradient)
        here_alone: Matrix = np.sqrt(np.diagonal(here.curvature))[:, None]
        self._size = here_alone if self._size is None else np.maximum(here_alone, self._size)
        size = np.where(self._size > 0, self._size, 1)
        curvature = here.curvature / (size * size.T)
        gradient = gradient / size
        while self._damping < MOST_DAMPING:
            step = damped_step(curvature, gradient, self._damping)
            if step is not None:
                promised = -float(np.vdot(gradient, step) + np.vdot(step, curvature @ step) / 2)
                if not promised > self._least_share * abs(here.target):
                    return None
                trial = surface.rounded(self.theta + surface.flat(step / size))
                if np.array_equal(trial, self.theta):
                    return None
                self._promised = promised
                return trial
            self._damp(self._rule.up)
        return None

    def state(self) -> State:
        """Copies of all that is needed to continue; what can be computed again is left out."""
        numbers = [self.loss, self.norm, self._damping, self._promised, self._target, self._settled]
        arrays = {"theta": self.theta.copy(), "numbers": np.array(numbers)}
        if self._size is not None:
            arrays["size"] = self._size.copy()
        return arrays if self._trial is None else arrays | {"trial": self._trial.copy()}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self.theta = arrays["theta"].copy()
        self.loss, self.norm, self._damping, self._promised, self._target, settled = arrays["numbers"].tolist()
        self._settled, self._here = bool(settled), None
        self._trial, self._size = (arrays[name].copy() if name in arrays else None for name in ("trial", "size"))


def damped_step(curvature: Matrix, gradient: Matrix, damping: float) -> Matrix | None:
    """-(H + μ I)⁻¹ g; None where it cannot be solved."""
    damped = curvature.copy()
    damped.flat[:: len(damped) + 1] += damping
    try:
        step: Matrix = -np.linalg.solve(damped, gradient).astype(np.float64)
    except np.linalg.LinAlgError:
        return None
    return step if np.isfinite(step).all() and length(step) > 0 else None
