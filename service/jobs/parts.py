"""A dataset as one network trains and is checked on it."""

from dataclasses import dataclass

import numpy as np

from service.datasets.records import DatasetRecord
from service.datasets.storage import Storage
from service.errors import invalid
from service.learning.batches import Part
from service.learning.gram import Gram
from service.learning.network import Network


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
        """One part; where dtypes agree and no column is left out, as memory maps.

        Raises:
            Invalid: it has no rows.
            NotFound: the files are gone.
        """
        rows = self.dataset.slice_of(name)
        if rows.start == rows.stop:
            raise invalid("#/part", f"The {name} part of dataset {self.dataset.name!r} has no rows.", "empty_part")
        arrays = self.storage.open(self.dataset.id)
        inputs, targets, weights = arrays.inputs[rows], arrays.targets[rows], None
        if self.weights is not None:
            column = self._column_of(self.weights)
            weights = inputs[:, column].astype(self.dtype)
            inputs = np.delete(inputs, column, axis=1)
        return Part(
            inputs.astype(self.dtype, copy=False), targets.astype(self.dtype, copy=False), weights, self.gram(name)
        )

    def gram(self, name: str) -> Gram | None:
        """The stored sums of squares and products, where they are of the very rows that a network sees."""
        if self.weights is not None or self.dtype != self.dataset.dtype:
            return None
        return self.storage.gram(self.dataset.id, name)

    def check(self, network: Network, pointer: str) -> None:
        """Raises Invalid where the columns do not fit the network."""
        wanted, given = (network.inputs, network.outputs), (self.inputs, self.dataset.outputs)
        if wanted != given:
            detail = (
                f"The model maps {wanted[0]} inputs to {wanted[1]} outputs, "
                f"but the dataset has {given[0]} inputs and {given[1]} outputs: "
                f"the model's architecture would have to go from {given[0]} to {given[1]}."
            )
            raise invalid(pointer, detail, "widths_differ")

    def _column_of(self, feature: str) -> int:
        return [each["name"] for each in self.dataset.features].index(feature)


def has_feature(dataset: DatasetRecord, name: str) -> bool:
    return any(feature["name"] == name for feature in dataset.features)
