"""A training problem: a network, the rows that it learns from and is judged by, and the recipe."""

from collections.abc import Iterator
from dataclasses import dataclass

from service.learning.layers import Node, nodes
from service.learning.network import Network
from service.learning.rows.part import Part
from service.learning.training.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """All that decides a training besides the parameters that it begins with.

    `whole` has the rows of both parts, where the recipe's `refit` asks for them. Where nobody reads the losses of its
    epochs, those of averaged parameters are not measured: reports tell what the passes told.
    """

    network: Network
    train: Part
    validation: Part | None
    recipe: Recipe
    whole: Part | None = None
    losses_are_read: bool = True

    @property
    def parts(self) -> dict[str, Part]:
        """The existing parts, by name."""
        parts = {"train": self.train, "validation": self.validation}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def validation_rows(self) -> int:
        return 0 if self.validation is None else len(self.validation)

    @property
    def nodes(self) -> Iterator[Node]:
        """All layers in their places, in order."""
        return nodes(self.network.root)
