"""The columns of a dataset as one network takes them: those it knows, in its order, categories as its own codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.datasets.columns import Column, ColumnStatistics
from service.datasets.records import DatasetRecord
from service.http.json_numbers import Array
from service.learning.rows.coded import Coding
from service.learning.rows.one_hot import OneHotRows, Rows
from service.learning.rows.selection import Selection


@dataclass(frozen=True)
class SeenColumn:
    """A stored column, and what it is to a network."""

    column: Column
    """Name, kind, categories and fill by which the network knows it."""
    stored: Column
    place: int
    """Its place among the stored inputs, or among the stored targets."""
    codes: tuple[int, ...] | None = None
    """The network's code for each stored one; None: codes and numbers are as they are stored."""

    @property
    def is_as_stored(self) -> bool:
        return self.codes is None and self.column.width == self.stored.width


@dataclass(frozen=True)
class Arrangement:
    """The features and targets of a dataset in a network's order; the column of weights is no feature."""

    dataset: DatasetRecord
    features: tuple[SeenColumn, ...]
    targets: tuple[SeenColumn, ...]
    weights: SeenColumn | None = None
    unused: tuple[str, ...] = ()
    """Columns that the network does not know."""

    @classmethod
    def as_stored(cls, dataset: DatasetRecord, weights: str | None = None) -> "Arrangement":
        """Return all columns in the dataset's own order."""
        features = [SeenColumn(each, each, place) for place, each in enumerate(dataset.features)]
        targets = [SeenColumn(each, each, place) for place, each in enumerate(dataset.targets)]
        weighing = next((each for each in features if each.stored.name == weights), None)
        return cls(dataset, tuple(each for each in features if each is not weighing), tuple(targets), weighing)

    @property
    def is_as_stored(self) -> bool:
        """Whether the network takes exactly the stored columns as they are."""
        both = (self.features, self.dataset.features), (self.targets, self.dataset.targets)
        return all(
            [each.place for each in seen] == list(range(len(stored))) and all(each.is_as_stored for each in seen)
            for seen, stored in both
        )

    @property
    def inputs(self) -> int:
        return sum(each.column.width for each in self.features)

    @property
    def coding(self) -> Coding | None:
        """The way in which features travel to a network that takes codes."""
        return Coding.of(_classes(self.features))

    @property
    def outputs(self) -> int:
        return sum(each.column.width for each in self.targets)

    @property
    def target_columns(self) -> list[Column]:
        """The targets as the network knows them."""
        return [each.column for each in self.targets]

    @property
    def numbers(self) -> tuple[bool, ...]:
        """Whether it is a number, for each output of a network."""
        return tuple(each.kind == "numeric" for each in self.target_columns for _ in range(each.width))

    def summary(self, column: SeenColumn) -> dict[str, ColumnStatistics]:
        """Return the statistics of a column in each part."""
        return next(each["parts"] for each in self.dataset.statistics if each["name"] == column.stored.name)


def _classes(columns: Sequence[SeenColumn]) -> list[int | None]:
    return [each.column.width if each.column.kind == "categorical" else None for each in columns]


def rows_of(array: Array, columns: Sequence[SeenColumn], dtype: str) -> Rows:
    """Stored rows (rows × stored columns) as networks see them (rows × width).

    The array itself where that is the same; nothing is copied before rows are read.
    """
    places = [each.place for each in columns]
    codes = {index: each.codes for index, each in enumerate(columns) if each.codes is not None}
    is_whole = places == list(range(array.shape[1])) and not codes
    classes = _classes(columns)
    if classes.count(None) < len(classes):
        stored = array if is_whole else Selection(array, places, array.dtype.name, codes)
        return OneHotRows(stored, classes, dtype)
    return array if is_whole and array.dtype == dtype else Selection(array, places, dtype, codes)
