"""The data and loss that a version was trained on, which turn rows by name into inputs, and outputs into labels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from service.datasets.columns import DateOrder, Kind
from service.learning.losses import Link


@dataclass(frozen=True)
class Feature:
    """A column that is an input."""

    name: str
    kind: Kind
    categories: tuple[str, ...] | None = None
    """The categories of a categorical column, in the order of its inputs, one a category."""
    min: float | None = None
    """The least value in the training part; null for a categorical column."""
    max: float | None = None
    fill: float | None = None
    """The substitute for a missing value: a number, or the code of a category. None: missing values are refused."""
    dates: DateOrder | None = None
    """Of days that were dates: how these were read, and are read in rows."""

    @property
    def width(self) -> int:
        return len(self.categories) if self.categories is not None else 1

    @cached_property
    def codes(self) -> dict[str, int]:
        """The code of each category."""
        return {category: code for code, category in enumerate(self.categories or ())}


@dataclass(frozen=True)
class Target:
    """A column that the network learnt."""

    name: str
    kind: Kind
    categories: tuple[str, ...] | None = None
    """The labels of a class target in the order of the outputs; for a boolean, one output, ("false", "true")."""

    @property
    def width(self) -> int:
        return len(self.categories) if self.kind == "categorical" and self.categories is not None else 1


@dataclass(frozen=True)
class Signature:
    """The columns in the order of the network's inputs and outputs, and the link that makes probabilities of outputs.

    `link` turns raw outputs into probabilities of classes: softmax or sigmoid where the loss took logits,
    identity where the outputs are probabilities already, None where they are none.
    """

    features: tuple[Feature, ...]
    targets: tuple[Target, ...]
    link: Link | None = None
    loss: Any = None
    """As a recipe has it. None where it was not written down: the version itself may know it then."""
    weights: str | None = None
    """The column with the weight of each row; it is no input."""
    left_out: tuple[str, ...] = ()
    """Other columns of the data that are neither inputs nor learnt: predictions skip them."""

    @cached_property
    def skipped(self) -> frozenset[str]:
        """Columns that may stand among those of rows to predict, and are not read."""
        weights = () if self.weights is None else (self.weights,)
        return frozenset((*self.left_out, *weights, *(each.name for each in self.targets)))

    @cached_property
    def known(self) -> frozenset[str]:
        """All columns that rows to predict may have."""
        return self.skipped.union(each.name for each in self.features)
