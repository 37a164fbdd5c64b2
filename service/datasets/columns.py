"""What a dataset's record says of its columns, and what follows from it for the stored arrays."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import StringConstraints

from service.http.json_numbers import Array
from service.learning.rows.one_hot import OneHotRows, Rows
from service.learning.rows.selection import Selection

Kind = Literal["numeric", "boolean", "categorical"]
"""Of a column: numbers; 0 and 1, false and true; or texts, each one of a few categories."""
ColumnName = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
MOST_COLUMNS = 4096
MOST_CATEGORIES = 256
"""Of one column; every one is an input or an output of a network."""
LONGEST_CATEGORY = 1000
"""Characters; longer texts are no categories."""


Column = Mapping[str, Any]
"""name, kind, width; categories, of a categorical one in the order of its codes; fill, what stood for a missing value:
a number or a code."""


def column(name: str, kind: Kind, categories: list[str] | None, fill: float | None) -> dict[str, Any]:
    width = 1 if categories is None else len(categories)
    return {"name": name, "kind": kind, "width": width, "categories": categories, "fill": fill}


def rows_of(array: Array, columns: Sequence[Column], dtype: str, left_out: int | None = None) -> Rows:
    """Stored rows (rows × columns) as networks see them (rows × width), without the column `left_out`.

    The array itself where that is the same; nothing is copied before rows are read.
    """
    chosen = [index for index in range(len(columns)) if index != left_out]
    classes = [columns[index]["width"] if columns[index]["kind"] == "categorical" else None for index in chosen]
    if classes.count(None) < len(classes):
        codes = array if left_out is None else Selection(array, chosen, array.dtype.name)
        return OneHotRows(codes, classes, dtype)
    return array if left_out is None and array.dtype == dtype else Selection(array, chosen, dtype)


def value_of(column: Column, stored: Any) -> Any:
    """A stored number as it came: a number, true or false, or a text."""
    match column["kind"]:
        case "categorical":
            return column["categories"][int(stored)]
        case "boolean":
            return bool(stored)
        case _:
            return stored
