"""What a training knows of its path: how parameters get from one epoch to the next."""

from collections.abc import Iterator
from typing import Protocol

from service.learning.arrays import Array, Saved, State
from service.learning.batches import Part
from service.learning.network import Network
from service.learning.plan import choose_path
from service.learning.quadratic_path import QuadraticPath
from service.learning.recipe import EpochReport, Recipe
from service.learning.scaling import Scaling
from service.learning.stepping import BatchPath


class Path(Protocol):
    """Updates a flat vector epoch by epoch, from wherever `restore` put it; its state may be taken at every yield."""

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

    def run(self, epochs: int) -> Iterator[float | EpochReport]:
        """Report after report to `epochs`; between, every fifth of a second, the fraction of the present pass."""

    def state(self) -> State:
        """Copies of all that going on to the same bytes needs."""

    def restore(self, arrays: Saved) -> None:
        """Take over what `state` gave."""


def begin_path(
    network: Network,
    vector: Array,
    train: Part,
    validation: Part | None,
    recipe: Recipe,
    scaling: Scaling | None = None,
) -> Path:
    """The path that the recipe names, or else the one that takes fewer operations.

    Raises:
        RecipeError: the recipe names the quadratic path, which cannot be taken.
    """
    parts = [train] if validation is None else [train, validation]
    name, _ = choose_path(
        network,
        len(train),
        0 if validation is None else len(validation),
        recipe,
        weighted=any(part.weights is not None for part in parts),
        sums_are_known=all(part.gram is not None for part in parts),
    )
    path = QuadraticPath if name == "quadratic" else BatchPath
    return path(network, vector, train, validation, recipe, scaling)
