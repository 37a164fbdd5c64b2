"""A training to be checked: what learns, from what and how."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from service.datasets.arrangement import Arrangement
from service.datasets.columns import Column, ColumnStatistics
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.learning.network import Network
from service.learning.planning.plan import Plan
from service.learning.training.recipe import Recipe
from service.models.trained_network import TrainedNetwork


@dataclass(frozen=True)
class Case:
    """A network with the parameters it begins from, a dataset as it sees it, a recipe and its plan."""

    view: DatasetView
    start: TrainedNetwork
    recipe: Recipe
    plan: Plan

    @property
    def dataset(self) -> DatasetRecord:
        return self.view.dataset

    @property
    def network(self) -> Network:
        return self.start.network

    @property
    def targets(self) -> list[Column]:
        """The targets as the network knows them."""
        return self.view.columns.target_columns

    @cached_property
    def statistics(self) -> dict[str, dict[str, ColumnStatistics]]:
        """The summary of each target in each part."""
        return {each.column.name: self.view.columns.summary(each) for each in self.view.columns.targets}

    @property
    def numbers(self) -> dict[str, ColumnStatistics]:
        """The summary of each numeric target in the training part."""
        return {each.name: self.statistics[each.name]["train"] for each in self.targets if each.kind == "numeric"}

    @property
    def ranges(self) -> list[tuple[Column, float, float]]:
        return ranges(self.view.columns, self.network.dtype)

    @property
    def steps(self) -> int:
        """Steps of the optimiser, in all."""
        rows, recipe = self.view.count("train"), self.recipe
        batch = min(recipe.batch_size or rows, rows)
        return recipe.epochs * (-(-rows // batch) if recipe.partial else rows // batch)


def ranges(columns: Arrangement, dtype: str) -> list[tuple[Column, float, float]]:
    """Return each target with the least and the greatest number that the loss sees of it in the training part."""
    found = list[tuple[Column, float, float]]()
    for target in columns.targets:
        if target.column.kind == "numeric":
            training = columns.summary(target)["train"]
            with np.errstate(over="ignore"):
                bounds = np.array([training["min"], training["max"]]).astype(dtype)
            found.append((target.column, float(bounds[0]), float(bounds[1])))
        else:
            found.append((target.column, 0.0, 1.0))
    return found
