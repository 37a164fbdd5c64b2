"""The quadratic path: one pass over the rows, then epochs whose cost does not depend on the number of rows."""

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from time import perf_counter

import numpy as np

from service.learning.arrays import Array, Matrix, Saved, State, packed, under
from service.learning.layers import Chain, Dense, Layer
from service.learning.network import Network
from service.learning.optimisers import Recurrence, second_order_rule
from service.learning.rows.gram import Gram
from service.learning.rows.memory_maps import drop_behind
from service.learning.rows.one_hot import stored
from service.learning.rows.part import Part
from service.learning.training.changes import Place
from service.learning.training.coordinates import Coordinates
from service.learning.training.events import HEARTBEAT_SECONDS, EpochReport, loss_diverged
from service.learning.training.problem import Problem
from service.learning.training.quadratic.closed_form import ClosedForm
from service.learning.training.quadratic.form import Forms, QuadraticLoss
from service.learning.training.quadratic.steps import Steps
from service.learning.training.quadratic.whole_steps import WholeSteps
from service.learning.training.recipe import Recipe
from service.learning.training.scaling import Scaling

MOST_COLUMNS = 2048  # of inputs and outputs together: their squares and products take 32 MiB
SHORT_PASS = 1 << 28  # operations of a pass that is over before an event is due
FEW_NUMBERS = 1 << 18  # of a training part that is read once more for its final loss


def single_dense(layer: Layer) -> Dense | None:
    """Return the one Dense layer that a network consists of, in however many chains; None where there is more."""
    while isinstance(layer, Chain) and len(layer.layers) == 1:
        layer = layer.layers[0]
    return layer if isinstance(layer, Dense) else None


def obstacle(network: Network, train_rows: int, recipe: Recipe, *, weighted: bool) -> str | None:
    """Return the reason against training by a quadratic form of the loss, as a clause; None where there is none."""
    dense = single_dense(network.layer)
    if dense is None:
        return "the network is more than one Dense layer"
    if dense.activation.name != "identity":
        return f"the activation of the Dense layer is {dense.activation.name}, not identity"
    if not recipe.loss.quadratic:
        return f"the loss is {recipe.loss.name}, not mse"
    if recipe.batch_size is not None and recipe.batch_size < train_rows:
        return f"a batch has {recipe.batch_size} rows, not all {train_rows} of the training part"
    if weighted:
        return "the rows have weights"
    if recipe.average is not None:
        return "the parameters are averaged"
    if recipe.scales_targets:
        return "the targets are standardised"
    if network.inputs + network.outputs > MOST_COLUMNS:
        return f"there are {network.inputs + network.outputs} inputs and outputs, more than {MOST_COLUMNS}"
    return None


def has_closed_form(recipe: Recipe) -> bool:
    """Whether every epoch is a plain step of gradient descent at a rate that is known before."""
    rule = recipe.optimiser
    plain = rule.recurrence == Recurrence() and not any(each.states() for each in rule.rules)
    return plain and rule.rate is not None and (recipe.schedule is None or not recipe.schedule.follows_losses)


def quadratic_form(network: Network, gram: Gram, recipe: Recipe, scaling: Scaling | None) -> QuadraticLoss:
    """Return the recipe's loss over the rows of `gram`, of parameters that act on scaled inputs.

    A sum is a mean in which every row counts rows × outputs times.
    """
    dense = single_dense(network.layer)
    factor = recipe.loss.quadratic * (gram.rows * gram.outputs if recipe.loss.agg == "sum" else 1)
    if factor != 1:
        gram = Gram(gram.reference, gram.rows, gram.matrix * factor)
    standardised = None if scaling is None else (scaling.mean, scaling.deviation)
    return QuadraticLoss(gram, bias=dense is not None and dense.bias is not False, standardised=standardised)


class QuadraticPath:
    """A training on the quadratic form of its loss, at any moment between two epochs.

    Parameters are float64 throughout; `vector` is what the network's dtype keeps of them. Every place is a report.
    """

    def __init__(self, problem: Problem, vector: Array, scaling: Coordinates | None = None) -> None:
        network, recipe = problem.network, problem.recipe
        self.break_at: Place | None = None
        self._network = network
        self._recipe = recipe
        self._scaling = None if scaling is None else scaling.inputs
        self._parts = problem.parts
        self._grams: dict[str, Gram] = {}  # of parts that came without
        self._forms: Forms | None = None
        start = self._theta_of(vector)
        self._epochs: ClosedForm | Steps | WholeSteps
        if has_closed_form(recipe):
            rate = recipe.optimiser.rate
            assert rate is not None
            self._epochs = ClosedForm(start, rate, recipe.schedule, network.dtype)
        elif second_order_rule(recipe.optimiser) is not None:
            self._epochs = WholeSteps(start, recipe.optimiser)
        else:
            split = network.inputs * network.outputs
            arrays = [slice(0, split), slice(split, len(start))] if len(start) > split else [slice(0, split)]
            self._epochs = Steps(start, recipe.optimiser, arrays, recipe.schedule, network.dtype)

    @property
    def reported(self) -> int:
        """The epoch of the last report; -1 before any."""
        return self._epochs.reported

    @property
    def rate(self) -> float | None:
        """The rate of the next epoch, None for a rule without; setting it ends the schedule."""
        return self._epochs.rate

    @rate.setter
    def rate(self, eta: float) -> None:
        self._epochs.rate = eta

    @property
    def place(self) -> Place | None:
        """The place after the last report; None before report 0."""
        return None if self.reported < 0 else Place(self.reported)

    def freeze(self, paths: Sequence[str]) -> None:
        """Do nothing: there is one layer, without which nothing would be left to train."""

    def back_off(self, vector: Array, factor: float) -> None:
        """Go on after the last report with these parameters, a fresh optimiser, and all rates times a factor."""
        self._epochs.back_off(self._theta_of(vector), factor)

    @property
    def vector(self) -> Array:
        """The flat vector after the last report."""
        theta, split = self._epochs.theta, self._network.inputs * self._network.outputs
        vector = theta.astype(self._network.dtype)
        vector[:split] = theta[:split].reshape(self._network.outputs, self._network.inputs).T.ravel()
        return vector

    def _theta_of(self, vector: Array) -> Matrix:
        split = self._network.inputs * self._network.outputs
        theta = vector.astype(np.float64)
        theta[:split] = vector[:split].reshape(self._network.inputs, self._network.outputs).T.ravel()
        return theta

    def run(self, epochs: int) -> Iterator[float | EpochReport]:
        """Report after report to `epochs`; before, fractions of the passes over rows whose sums are not yet known."""
        began = perf_counter()
        if self._forms is None:
            for name, part in self._parts.items():
                if part.gram is None and name not in self._grams:
                    try:
                        self._grams[name] = yield from sums_over(part)
                    except np.linalg.LinAlgError:  # squares beyond float64
                        raise loss_diverged(0) from None
            self._forms = self._make_forms()
        yield from self._epochs.reports(self._forms, epochs, began)

    def _make_forms(self) -> Forms:
        grams = [part.gram or self._grams[name] for name, part in self._parts.items()]
        forms = [quadratic_form(self._network, gram, self._recipe, self._scaling) for gram in grams]
        return Forms(forms[0], forms[1] if len(forms) > 1 else None)

    def loss(self, vector: Array) -> float | None:
        """The loss over the training part of parameters for raw inputs; None where reading its few rows is as quick.

        Over many rows the rounding errors of predictions in the network's dtype average out, over few they show.
        """
        train = self._parts["train"]
        gram = train.gram or self._grams.get("train")
        if gram is None or train.inputs.size <= FEW_NUMBERS:
            return None
        if self._forms is not None and self._scaling is None:
            return self._forms.train.loss(self._theta_of(vector))
        form = quadratic_form(self._network, gram, self._recipe, None)
        return form.loss(self._theta_of(vector))

    def state(self) -> State:
        """Copies of all that is needed to continue, sums that took a pass over the rows included."""
        arrays = packed("epochs", self._epochs.state())
        for part, gram in self._grams.items():
            arrays |= packed(part, {name: array.copy() for name, array in gram.arrays().items()})
        return arrays

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""
        self._epochs.restore(under("epochs", arrays))
        saved = {name: under(name, arrays) for name in self._parts}
        self._grams = {name: Gram.from_arrays(sums) for name, sums in saved.items() if sums}
        self._forms = None


def sums_over(part: Part) -> Generator[float, None, Gram]:
    """Return the sums over a part's rows; a long pass yields the fraction done five times a second."""
    rows, columns = len(part), part.inputs.shape[1] + part.targets.shape[1]
    done, stopped = 0, False

    def after_block(count: int) -> None:
        nonlocal done
        if stopped:
            raise CancelledError
        start, done = done if done < count else 0, count  # a second pass begins at the first row again
        drop_behind(stored(part.inputs), start, count)
        drop_behind(stored(part.targets), start, count)

    if rows * columns * columns < SHORT_PASS:
        return Gram.of(part.inputs, part.targets, after_block)
    with ThreadPoolExecutor(1) as thread:  # the pass is a function that calls back, and only its caller can yield
        future = thread.submit(Gram.of, part.inputs, part.targets, after_block)
        try:
            while not wait([future], HEARTBEAT_SECONDS).done:
                yield done / rows
        finally:
            stopped = True
    return future.result()
