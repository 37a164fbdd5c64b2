"""Steps of rules of second order on the quadratic form."""

from collections.abc import Iterator
from time import perf_counter

import numpy as np

from service.learning.arrays import Matrix, Saved, State
from service.learning.optimisers import Rule, decay_of
from service.learning.training.events import EpochReport
from service.learning.training.quadratic.form import Forms, QuadraticLoss
from service.learning.training.second_order.path import steps_by
from service.learning.training.second_order.surface import Survey, Surveying, decayed, length


class FormSurface:
    """A quadratic form as a surface: all outputs have one curvature, columns × columns."""

    def __init__(self, decay: float) -> None:
        self.passes = 0
        self._decay = decay
        self._form: QuadraticLoss

    def stand_on(self, form: QuadraticLoss) -> None:
        """Take this form from now on."""
        images = form.images(np.eye(form.columns))
        self._form, self._curvature = form, 2 * form.scale * (images.T @ images)

    def columns(self, flat: Matrix) -> Matrix:
        split = self._form.inputs * self._form.outputs
        weights = flat[:split].reshape(self._form.outputs, -1)
        return np.hstack([weights, flat[split:].reshape(self._form.outputs, -1)]).T

    def flat(self, columns: Matrix) -> Matrix:
        return self._form.flat(columns.T).astype(np.float64)

    def rounded(self, theta: Matrix) -> Matrix:
        return theta

    def evaluate(self, theta: Matrix, below: float) -> Surveying:
        """Return what is known at a place; None where the target is not below a bound, or not finite."""
        self.passes += 1
        gradient = np.empty_like(theta)
        with np.errstate(all="ignore"):
            loss = self._form.gradient_and_loss(theta, gradient)
            found = Survey(loss, loss, gradient, length(gradient), self._curvature)
            found = decayed(found, theta, self._decay)
        yield from ()  # nothing here lasts
        return found if np.isfinite(found.norm) and found.target < below else None

    def state(self) -> State:
        return {}

    def restore(self, arrays: Saved) -> None:
        """Do nothing: no evaluation is ever under way."""


class WholeSteps:
    """Training by a rule of second order, one step an epoch, with gradients that cost O(columns²)."""

    def __init__(self, start: Matrix, rule: Rule) -> None:
        self.reported = -1
        self._surface = FormSurface(decay_of(rule))
        self._steps = steps_by(rule, start, self._surface, "float64")

    @property
    def theta(self) -> Matrix:
        return self._steps.theta

    @property
    def rate(self) -> float | None:
        """The length of the last step, where the rule searches one."""
        return self._steps.rate

    @rate.setter
    def rate(self, eta: float) -> None:
        raise ValueError("rules of second order have no rate")

    def back_off(self, theta: Matrix, factor: float) -> None:
        """Raise: what has no rate has nothing to lower."""
        raise ValueError("rules of second order have no rate")

    def reports(self, forms: Forms, epochs: int, began: float) -> Iterator[EpochReport]:
        """The reports after the last one, up to `epochs`; the first one's seconds count from `began`."""
        self._surface.stand_on(forms.train)
        if self.reported < 0:
            for _ in self._steps.begin():
                pass
            yield self._report(0, forms, began)
        for epoch in range(self.reported + 1, epochs + 1):
            began = perf_counter()
            for _ in self._steps.step():
                pass
            yield self._report(epoch, forms, began)

    def _report(self, epoch: int, forms: Forms, began: float) -> EpochReport:
        steps = self._steps
        self.reported = epoch
        with np.errstate(all="ignore"):
            loss = forms.validation_loss(steps.theta)
        return EpochReport(epoch, steps.loss, loss, steps.rate, steps.norm, perf_counter() - began)

    def state(self) -> State:
        """Copies of all that is needed to continue."""
        return {"reported": np.array([self.reported]), **self._steps.state()}

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self.reported = int(arrays["reported"][0])
        self._steps.restore(arrays)
