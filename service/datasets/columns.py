"""What a dataset's record says of its columns, and what follows from it for the stored arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.datasets.chunks import Kind
from service.learning.encoding import Encoded, Rows
from service.numbers import Array

Column = Mapping[str, Any]
"""name, kind, width; categories, of a categorical one in the order of its codes; fill, what stood for a missing value:
a number or a code."""


def column(name: str, kind: Kind, categories: list[str] | None, fill: float | None) -> dict[str, Any]:
    width = 1 if categories is None else len(categories)
    return {"name": name, "kind": kind, "width": width, "categories": categories, "fill": fill}


def rows_of(array: Array, columns: Sequence[Column], dtype: str) -> Rows:
    """Stored rows (rows × columns) as networks see them (rows × width); the array itself where that is the same."""
    if all(each["kind"] != "categorical" for each in columns):
        return array.astype(dtype, copy=False)
    classes = [each["width"] if each["kind"] == "categorical" else None for each in columns]
    return Encoded(array, classes, dtype)


def value_of(column: Column, stored: Any) -> Any:
    """A stored number as it came: a number, true or false, or a text."""
    match column["kind"]:
        case "categorical":
            return column["categories"][int(stored)]
        case "boolean":
            return bool(stored)
        case _:
            return stored
