"""The columns of a dataset: their kinds, their limits, and the words of a query about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict
from urllib.parse import quote

Kind = Literal["numeric", "boolean", "categorical"]
"""The kind of a column: numbers; 0 and 1, false and true; or texts, each one of a few categories."""
WantedKind = Literal["numeric", "boolean", "categorical", "date"]
"""A kind that a sender wants: dates become numbers, the days since 1970-01-01 in UTC."""
DateOrder = Literal["day_first", "month_first", "unambiguous"]
"""The reading of dates such as 1/2/2020 in a column of dates; it may have had none."""
UNAMBIGUOUS: DateOrder = "unambiguous"
SHOWN = 50
"""Characters of a name or a value that a message repeats."""
LONGEST_NAME = 500
"""Characters; the headers of surveys are whole questions."""
MOST_COLUMNS = 4096
MOST_ROWS = 10**9
"""Rows of a dataset; with more, NumPy draws no hypergeometric numbers."""
Rename = Mapping[str, str]
"""The names that a version has for columns of a dataset, by their own."""
MOST_CATEGORIES = 256
"""Classes of a target, and categories of a column whose kind nobody has set: longer lists of texts are seldom meant."""
MOST_ASKED_FOR = 1 << 14
"""Categories of an input whose sender has called it categorical; every one is an input of a network."""
MOST_TOGETHER = 1 << 16
"""Categories of all columns together that have more than `MOST_CATEGORIES`."""
LONGEST_CATEGORY = 1000
"""Characters; longer texts are no categories."""
_RESERVED = set("&+#%")
"""Characters that mean something else in a query."""


def in_query(text: str) -> str:
    """Return a text as it stands in a query; only what means something else there is written in another way."""
    return quote(text, safe=" :/,;'()[]{}") if _RESERVED & set(text) else text


def with_type(name: str, kind: WantedKind) -> str:
    """Return the words of an upload that set the type of a column."""
    return f"types={in_query(name)}:{kind} (in JSON in `types`)"


@dataclass(frozen=True)
class Column:
    """One column of a dataset that is stored."""

    name: str
    kind: Kind = "numeric"
    categories: tuple[str, ...] | None = None
    """The categories of a categorical column, in the order of its codes."""
    fill: float | None = None
    """The number or code that stood for a missing value."""
    dates: DateOrder | None = None
    """Of numbers that were dates, and are days since 1970-01-01: how these were read."""

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
        written = {name: value for name, value in vars(self).items() if name != "dates" or value is not None}
        return {**written, "width": self.width}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Column":
        categories = kept["categories"]
        known = None if categories is None else tuple(categories)
        return cls(kept["name"], kept["kind"], known, kept.get("fill"), kept.get("dates"))


class ColumnStatistics(TypedDict):
    """The statistics of a column in one part, as JSON has them; the kind of the column decides what is None."""

    count: int
    missing: int
    mean: Any
    std: Any
    min: Any
    max: Any
    quantiles: dict[str, float | None]
    histogram: Any
    categories: Any


class ColumnSummary(TypedDict):
    """The statistics of a column by part, as JSON has them."""

    name: str
    kind: Kind
    parts: dict[str, ColumnStatistics]


def unambiguous(columns: Iterable[str]) -> dict[str, DateOrder]:
    """Return columns of dates none of which may begin with the day or with the month."""
    return dict.fromkeys(columns, UNAMBIGUOUS)
