"""A dataset as one network trains and is evaluated on it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from service.datasets.arrangement import Arrangement, rows_of
from service.datasets.columns import Column, with_type
from service.datasets.records import DatasetRecord
from service.datasets.sums import sums_over
from service.errors import invalid
from service.http.json_numbers import Array
from service.learning.network import Network
from service.learning.rows.coded import Coding
from service.learning.rows.drawn import DrawnValidation
from service.learning.rows.gram import Gram
from service.learning.rows.memory_maps import drop_behind
from service.learning.rows.one_hot import Rows
from service.learning.rows.part import Part
from service.storage.storage import Arrays, Storage

MOST_NAMED = 5
DRAWN = ("train", "validation")
"""Parts that a draw makes of the training part."""
BLOCK_BYTES = 1 << 22
"""Bytes of stored rows whose weights are read at once."""


@dataclass(frozen=True)
class ClassWeights:
    """The weight of each stored code of one target."""

    place: int
    """The target's place among the stored ones."""
    of_codes: tuple[float, ...] | None
    """None: each class among the rows gets the same sum, n/(K·n_k)."""

    def of(self, targets: Array) -> Array:
        """Return the weight of each stored row (rows × targets)."""
        codes = targets[:, self.place].astype(np.intp)
        if self.of_codes is None:
            counts = np.bincount(codes)
            of_codes = len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        else:
            of_codes = np.array(self.of_codes)
        weights: Array = of_codes[codes]
        return weights


@dataclass(frozen=True)
class DatasetView:
    """The inputs, targets and weights of a dataset's parts, in the order and dtype of a network."""

    storage: Storage
    columns: Arrangement
    dtype: str
    class_weights: ClassWeights | None = None
    """The weights of rows of the training part by their class, which multiply those of the column of weights."""
    drawn: DrawnValidation | None = None
    """The rows of the training part that take the place of a validation part; those of both are held in memory."""
    _sums: dict[str, Gram | None] = field(default_factory=dict, repr=False, compare=False)
    """Sums that were read or made again, by part."""

    @property
    def dataset(self) -> DatasetRecord:
        return self.columns.dataset

    def part(self, name: str, *, sums: bool = True) -> Part:
        """One part, read from memory maps as it is used: only its weights are held in memory.

        Categories are seen as one-hot; where nothing is to be changed, the arrays are the maps themselves. Without
        `sums`, no time goes into these.

        Raises:
            Invalid: it has no rows.
            NotFound: the files are gone.
            Unavailable: the storage is out of reach.
        """
        weights = self.class_weights if name == "train" else None
        return self.seen(self._arrays(name), weights, self.gram(name) if sums else None)

    def seen(self, arrays: Arrays, class_weights: ClassWeights | None = None, gram: Gram | None = None) -> Part:
        """Return stored rows as a network sees them."""
        targets = rows_of(arrays.targets, self.columns.targets, self.dtype)
        weights = self._weights_in(arrays)
        if class_weights is not None:
            of_classes = class_weights.of(arrays.targets)
            weights = of_classes if weights is None else of_classes * weights
        return Part(self._seen(arrays), targets, weights, gram, self.columns.numbers)

    @property
    def is_weighted(self) -> bool:
        """Whether rows of the training part have weights."""
        return self.columns.weights is not None or self.class_weights is not None

    @cached_property
    def arrays(self) -> Arrays:
        """All rows as they are stored, memory-mapped. Raises as `part` does."""
        return self.storage.open(self.dataset.id, self.dataset.content_hash)

    def rows(self, name: str) -> Rows:
        """Return the inputs of one part (rows × inputs), as `part` has them. Raises as `part` does."""
        return self._seen(self._arrays(name))

    def count(self, name: str) -> int:
        """Return how many rows a part has."""
        if self.drawn is None or name not in DRAWN:
            return self.dataset.parts.get(name, 0)
        drawn = self.drawn.count(self.dataset.train_rows)
        return drawn if name == "validation" else self.dataset.train_rows - drawn

    @property
    def bytes_drawn(self) -> int:
        """Bytes of the rows that are held in memory."""
        columns = len(self.dataset.features) + len(self.dataset.targets) + 1
        return 0 if self.drawn is None else self.dataset.train_rows * columns * np.dtype(self.dataset.dtype).itemsize

    def _arrays(self, name: str) -> Arrays:
        if self.drawn is not None and name in DRAWN:
            arrays = replace(self, drawn=None)._arrays("train")
            chosen = self.drawn.indices(len(arrays.inputs), name)
            return Arrays(arrays.inputs[chosen], arrays.targets[chosen], arrays.numbers[chosen])
        rows = self.dataset.slice_of(name)
        if rows.start == rows.stop:
            raise invalid("#/part", f"The {name} part of dataset {self.dataset.name!r} has no rows.", "empty_part")
        arrays = self.storage.open(self.dataset.id, self.dataset.content_hash)
        return Arrays(arrays.inputs[rows], arrays.targets[rows], arrays.numbers[rows])

    def _seen(self, arrays: Arrays) -> Rows:
        return rows_of(arrays.inputs, self.columns.features, self.dtype)

    def _weights_in(self, arrays: Arrays) -> Array | None:
        """One number a row, read block by block: a view of the column would hold the pages of the whole file."""
        if self.columns.weights is None:
            return None
        weights = np.empty(len(arrays.inputs), arrays.inputs.dtype)  # the network's may be too narrow for them
        rows = max(1, BLOCK_BYTES // arrays.inputs.strides[0])
        for start in range(0, len(weights), rows):
            stop = min(start + rows, len(weights))
            weights[start:stop] = arrays.inputs[start:stop, self.columns.weights.place]
            drop_behind(arrays.inputs, start, stop)
        return weights

    def coding(self, network: Network) -> Coding | None:
        """Return how rows travel to a network, as its `coding_of` has them."""
        return network.taken(self.columns.coding)

    def _wider_target(self, outputs: int) -> str:
        """Return the remedy where classes may have been uploaded as numbers."""
        if outputs <= 1 or len(self.dataset.targets) != 1 or self.dataset.targets[0].kind != "numeric":
            return ""
        name = self.dataset.targets[0].name
        return f" {name!r} is numeric, one output; {with_type(name, 'categorical')} makes one for each of its values."

    def numbers(self, name: str) -> Array:
        """Return the numbers in the uploaded data of a part's rows, in its order."""
        return self._arrays(name).numbers

    def first_rows(self, name: str, count: int) -> tuple[Array, Array]:
        """Return inputs and targets of the first rows of a part, as they are stored (rows × columns), unread."""
        arrays = self._arrays(name)
        return arrays.inputs[:count], arrays.targets[:count]

    def gram(self, name: str) -> Gram | None:
        """Return the sums of squares and products of exactly the rows that a network sees, where these are few: the
        stored ones, or for columns in another order sums made again.
        """
        if self.is_weighted or self.drawn is not None or not np.can_cast(self.dataset.dtype, self.dtype, "safe"):
            return None
        if name not in self._sums:
            stored = self.dataset.id, self.dataset.content_hash
            if self.columns.is_as_stored:
                self._sums[name] = self.storage.gram(*stored, name)
            else:
                self._sums[name] = sums_over(self.storage.open(*stored), self.columns, name)
        return self._sums[name]

    def check(self, network: Network, pointer: str) -> None:
        """Raise Invalid where the columns do not fit the network."""
        wanted, given = (network.inputs, network.outputs), (self.columns.inputs, self.columns.outputs)
        if wanted != given:
            features = [each.column for each in self.columns.features]
            detail = (
                f"The model maps {wanted[0]} inputs to {wanted[1]} outputs, "
                f"but the dataset has {given[0]} inputs and {given[1]} outputs{_of_categories(features, 'inputs')}"
                f"{_of_categories(self.columns.target_columns, 'outputs')}: "
                f"the model's architecture would have to go from {given[0]} to {given[1]}."
                f"{self._wider_target(wanted[1])}"
            )
            raise invalid(pointer, detail, "widths_differ")


def check_weights(dataset: DatasetRecord, name: str, pointer: str) -> None:
    """Raise Invalid where a column cannot hold the weights of rows: no number, negative, or 0 throughout a part."""
    kinds = {feature.name: feature.kind for feature in dataset.features}
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


def _of_categories(columns: Iterable[Column], what: str) -> str:
    """Explain the widths of categorical columns, in words; empty where there are none."""
    wide = [f"{each.width} of {each.name!r}" for each in columns if each.kind == "categorical"]
    return f" ({what}: {', '.join(wide[:MOST_NAMED])}, one a category)" if wide else ""
