"""A dataset as one network trains and is checked on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from service.datasets.columns import rows_of
from service.datasets.records import DatasetRecord
from service.datasets.storage import Storage
from service.errors import invalid
from service.learning.batches import Part
from service.learning.gram import Gram
from service.learning.network import Network
from service.numbers import Array

MOST_NAMED = 5


@dataclass(frozen=True)
class View:
    """The inputs, targets and weights of a dataset's parts, in the dtype of a network.

    `weights` names the feature that says how much each row counts; it is no input then.
    """

    storage: Storage
    dataset: DatasetRecord
    dtype: str
    weights: str | None = None

    @property
    def inputs(self) -> int:
        return self.dataset.inputs - (self.weights is not None)

    def part(self, name: str) -> Part:
        """One part; where dtypes agree and no column is left out, as memory maps. Categories are seen as one-hot.

        Raises:
            Invalid: it has no rows.
            NotFound: the files are gone.
            Unavailable: the storage is out of reach.
        """
        rows = self.dataset.slice_of(name)
        if rows.start == rows.stop:
            raise invalid("#/part", f"The {name} part of dataset {self.dataset.name!r} has no rows.", "empty_part")
        arrays = self.storage.open(self.dataset.id, self.dataset.content_hash)
        inputs, features, weights = arrays.inputs[rows], self.dataset.features, None
        if self.weights is not None:
            column = [each["name"] for each in features].index(self.weights)
            weights = inputs[:, column].astype(self.dtype)
            inputs = np.delete(inputs, column, axis=1)
            features = features[:column] + features[column + 1 :]
        targets = rows_of(arrays.targets[rows], self.dataset.targets, self.dtype)
        return Part(rows_of(inputs, features, self.dtype), targets, weights, self.gram(name))

    def numbers(self, name: str) -> Array:
        """Which rows of the data as it came a part holds, in its order."""
        arrays = self.storage.open(self.dataset.id, self.dataset.content_hash)
        return arrays.numbers[self.dataset.slice_of(name)]

    def gram(self, name: str) -> Gram | None:
        """The stored sums of squares and products, where they are of the very rows that a network sees."""
        if self.weights is not None or self.dtype != self.dataset.dtype:
            return None
        return self.storage.gram(self.dataset.id, self.dataset.content_hash, name)

    def check(self, network: Network, pointer: str) -> None:
        """Raises Invalid where the columns do not fit the network."""
        wanted, given = (network.inputs, network.outputs), (self.inputs, self.dataset.outputs)
        if wanted != given:
            features = [each for each in self.dataset.features if each["name"] != self.weights]
            detail = (
                f"The model maps {wanted[0]} inputs to {wanted[1]} outputs, "
                f"but the dataset has {given[0]} inputs and {given[1]} outputs{_of_categories(features, 'inputs')}"
                f"{_of_categories(self.dataset.targets, 'outputs')}: "
                f"the model's architecture would have to go from {given[0]} to {given[1]}."
            )
            raise invalid(pointer, detail, "widths_differ")


def check_weights(dataset: DatasetRecord, name: str, pointer: str) -> None:
    """Raises Invalid where a column cannot say how much rows count: no number, negative, or 0 throughout a part."""
    kinds = {feature["name"]: feature["kind"] for feature in dataset.features}
    if name not in kinds:
        features = ", ".join(map(repr, kinds))
        raise invalid(pointer, f"Dataset {dataset.name!r} has no input {name!r}; it has {features}.", "unknown_column")
    if kinds[name] != "numeric":
        raise invalid(pointer, f"Weights are numbers, but {name!r} is {kinds[name]}.", "impossible_weights")
    parts = next(column for column in dataset.statistics if column["name"] == name)["parts"]
    for part, seen in parts.items():
        if seen["count"] and (seen["min"] < 0 or seen["max"] == 0):
            detail = (
                f"Weights must not be negative, nor all 0 in a part: "
                f"in {part}, {name!r} goes from {seen['min']} to {seen['max']}."
            )
            raise invalid(pointer, detail, "impossible_weights")


def _of_categories(columns: list[dict[str, Any]], what: str) -> str:
    """Where the widths of categorical columns come from, in words; empty where there are none."""
    wide = [f"{each['width']} of {each['name']!r}" for each in columns if each["kind"] == "categorical"]
    return f" ({what}: {', '.join(wide[:MOST_NAMED])}, one a category)" if wide else ""


def has_feature(dataset: DatasetRecord, name: str) -> bool:
    return any(feature["name"] == name for feature in dataset.features)
