"""The interface of a training's path, which takes parameters from one epoch to the next."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from service.learning.arrays import Array, Saved, State
from service.learning.network import Network
from service.learning.optimisers import second_order_rule
from service.learning.rows.coded import Coding
from service.learning.training.batches.path import BatchPath
from service.learning.training.changes import Place
from service.learning.training.coordinates import Coordinates
from service.learning.training.costs import Cost, cost_of_batches, cost_of_quadratic, cost_of_second_order
from service.learning.training.events import EpochReport
from service.learning.training.problem import Problem
from service.learning.training.quadratic.path import QuadraticPath, obstacle
from service.learning.training.recipe import Recipe, RecipeError
from service.learning.training.second_order.checks import check_second_order
from service.learning.training.second_order.path import SecondOrderPath

PathName = Literal["quadratic", "batches", "second_order"]


class Path(Protocol):
    """Updates of a flat vector, epoch by epoch, from wherever `restore` put it; any yield allows to take the state.

    The work pauses at `break_at`, where that is a place inside a pass.
    """

    break_at: Place | None

    @property
    def vector(self) -> Array:
        """The present parameters."""

    @property
    def reported(self) -> int:
        """The epoch of the last report; -1 before any."""

    @property
    def rate(self) -> float | None:
        """The rate of the next step; None for a rule without. Setting it ends the schedule."""

    @rate.setter
    def rate(self, eta: float) -> None: ...

    @property
    def place(self) -> Place | None:
        """The present place; None where no change can take hold."""

    def freeze(self, paths: Sequence[str]) -> None:
        """Leave the layers at these paths as they are from now on, and train all others."""

    def back_off(self, vector: Array, factor: float) -> None:
        """Go on after the last report with these parameters, a fresh optimiser, and all rates times a factor."""

    def run(self, epochs: int) -> Iterator[float | EpochReport]:
        """Report after report to `epochs`; between, every fifth of a second, the fraction of the present pass."""

    def state(self) -> State:
        """Copies of all that is needed to continue to the same bytes."""

    def restore(self, arrays: Saved) -> None:
        """Take over a result of `state`."""


PATHS: dict[PathName, Callable[[Problem, Array, Coordinates | None], Path]] = {
    "quadratic": QuadraticPath,
    "batches": BatchPath,
    "second_order": SecondOrderPath,
}


def begin_path(problem: Problem, vector: Array, scaling: Coordinates | None = None) -> Path:
    """Return the path that the recipe names, or else the one that takes fewer operations.

    Raises:
        RecipeError: the recipe names the quadratic path, which cannot be taken.
    """
    parts = problem.parts.values()
    name, _ = choose_path(
        problem.network,
        len(problem.train),
        problem.validation_rows,
        problem.recipe,
        weighted=any(part.weights is not None for part in parts),
        sums_are_known=all(part.gram is not None for part in parts),
        coding=problem.network.coding_of(problem.train.inputs),
    )
    return PATHS[name](problem, vector, scaling)


def choose_path(
    network: Network,
    train_rows: int,
    validation_rows: int,
    recipe: Recipe,
    *,
    weighted: bool,
    sums_are_known: bool,
    coding: Coding | None = None,
) -> tuple[PathName, Cost]:
    """Return the path that the recipe names, or else the one of fewer operations, and its cost.

    `coding` is the way in which rows travel.

    Raises:
        RecipeError: the recipe names a path that cannot be taken, or its rule of second order is not for it.
    """
    check_second_order(recipe, network, train_rows)
    second_order = second_order_rule(recipe.optimiser) is not None
    if recipe.path == "second_order" and not second_order:
        message = f"cannot be second_order with {recipe.optimiser.name}: LevenbergMarquardt and LBFGS take it"
        raise RecipeError("path", message)
    reason = obstacle(network, train_rows, recipe, weighted=weighted)
    if recipe.path == "quadratic" and reason is not None:
        raise RecipeError(
            "path",
            "The quadratic path needs one Dense layer with identity as its activation, the loss mse, batches of all "
            f"rows and no sample weights; here {reason}.",
        )
    if second_order and (reason is not None or recipe.path == "second_order"):
        return "second_order", cost_of_second_order(network, train_rows, validation_rows, recipe, coding)
    if second_order:
        sums = cost_of_quadratic(network, train_rows, validation_rows, recipe, sums_are_known=sums_are_known)
        return "quadratic", sums
    batches = cost_of_batches(network, train_rows, validation_rows, recipe, coding)
    if recipe.path == "batches" or reason is not None:
        return "batches", batches
    sums = cost_of_quadratic(network, train_rows, validation_rows, recipe, sums_are_known=sums_are_known)
    if recipe.path == "quadratic" or sums.operations <= batches.operations:
        return "quadratic", sums
    return "batches", batches
