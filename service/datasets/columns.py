"""The columns of a dataset: their kinds, their limits, and how networks see the stored arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from service.http.json_numbers import Array
from service.learning.rows.one_hot import OneHotRows, Rows
from service.learning.rows.selection import Selection

Kind = Literal["numeric", "boolean", "categorical"]
"""The kind of a column: numbers; 0 and 1, false and true; or texts, each one of a few categories."""
LONGEST_NAME = 500
"""Characters; the headers of surveys are whole questions."""
MOST_COLUMNS = 4096
MOST_CATEGORIES = 256
"""Categories of one column; every one is an input or an output of a network."""
LONGEST_CATEGORY = 1000
"""Characters; longer texts are no categories."""


@dataclass(frozen=True)
class Column:
    """One column of a dataset that is stored."""

    name: str
    kind: Kind = "numeric"
    categories: tuple[str, ...] | None = None
    """The categories of a categorical column, in the order of its codes."""
    fill: float | None = None
    """The number or code that stood for a missing value."""

    @property
    def width(self) -> int:
        """Inputs or outputs of a network that the column becomes."""
        return 1 if self.categories is None else len(self.categories)

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The texts of the classes, where there are any."""
        return ("false", "true") if self.kind == "boolean" else self.categories

    def value(self, stored: Any) -> Any:
        """Return a stored number as it was sent: a number, true or false, or a text."""
        if self.categories is not None:
            return self.categories[int(stored)]
        return bool(stored) if self.kind == "boolean" else stored

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "width": self.width}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Column":
        categories = kept["categories"]
        return cls(kept["name"], kept["kind"], None if categories is None else tuple(categories), kept.get("fill"))


def rows_of(array: Array, columns: Sequence[Column], dtype: str, left_out: int | None = None) -> Rows:
    """Stored rows (rows × columns) as networks see them (rows × width), without the column `left_out`.

    The array itself where that is the same; nothing is copied before rows are read.
    """
    chosen = [index for index in range(len(columns)) if index != left_out]
    classes = [columns[index].width if columns[index].kind == "categorical" else None for index in chosen]
    if classes.count(None) < len(classes):
        codes = array if left_out is None else Selection(array, chosen, array.dtype.name)
        return OneHotRows(codes, classes, dtype)
    return array if left_out is None and array.dtype == dtype else Selection(array, chosen, dtype)
