"""From a body to columns of numbers."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from service import numbers
from service.errors import Fault, Invalid, invalid
from service.numbers import Array
from service.pointers import escape

if TYPE_CHECKING:
    import pyarrow

MOST_FAULTS = 10


def columns_from_json(columns: Mapping[str, Any], dtype: str) -> dict[str, Array]:
    """The columns of a JSON body as arrays of `dtype`, all of one length.

    Raises:
        Invalid: something is no number, or lengths differ.
    """
    arrays = {name: numbers.column(values, dtype, f"#/columns/{escape(name)}") for name, values in columns.items()}
    first, *others = arrays
    for name in others:
        if len(arrays[name]) != len(arrays[first]):
            lengths = f"{len(arrays[name])} rows, but {first!r} has {len(arrays[first])}"
            raise invalid(f"#/columns/{escape(name)}", f"Column {name!r} has {lengths}.", "ragged")
    if not len(arrays[first]):
        raise invalid("#/columns", "There are no rows.", "empty")
    return arrays


def columns_from_csv(body: bytes, dtype: str) -> dict[str, Array]:
    """The columns of a CSV text with a header line, all numeric, as arrays of `dtype`.

    Raises:
        Invalid: not CSV, or a value is missing, no number, or overflows `dtype`; says the line.
    """
    import pyarrow  # here: it takes a third of a second, and only this format needs it
    import pyarrow.csv

    try:
        table = pyarrow.csv.read_csv(
            pyarrow.BufferReader(body),
            convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""]),
        )
    except pyarrow.ArrowInvalid as error:
        raise invalid("#", f"The body is not CSV with a header line: {error}.", "malformed") from None
    duplicates = {name for name in table.column_names if table.column_names.count(name) > 1}
    if duplicates:
        raise invalid("#", f"Columns need different names; twice there: {sorted(duplicates)}.", "duplicate_column")
    if not table.num_rows or table.num_columns < 2:
        raise invalid("#", "Give a header line, at least two columns and at least one row.", "empty")
    faults = [fault for name in table.column_names for fault in _faults_of(name, table.column(name))]
    if faults:
        raise Invalid(faults[0].detail, "invalid", tuple(faults[:MOST_FAULTS]))
    return {name: _numeric(name, table.column(name), dtype) for name in table.column_names}


def _faults_of(name: str, values: "pyarrow.ChunkedArray") -> Iterable[Fault]:
    import pyarrow.types as kinds

    pointer = f"#/columns/{escape(name)}"
    if values.null_count:
        missing = np.flatnonzero(values.is_null().to_numpy())[:MOST_FAULTS]
        for row in missing.tolist():
            yield Fault(f"{pointer}/{row}", f"Line {row + 2}: the value of column {name!r} is missing.")
    elif not (kinds.is_integer(values.type) or kinds.is_floating(values.type)):
        row, value = next(
            ((row, value) for row, value in enumerate(map(str, values.to_pylist())) if not _is_number(value)),
            (0, str(values[0])),
        )
        yield Fault(f"{pointer}/{row}", f"Line {row + 2}: column {name!r} holds {value[:50]!r}, which is no number.")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numeric(name: str, values: "pyarrow.ChunkedArray", dtype: str) -> Array:
    with np.errstate(over="ignore"):
        array: Array = values.to_numpy().astype(dtype)
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        row = int(bad[0])
        detail = f"Line {row + 2}: the number in column {name!r} is not finite in {dtype}."
        raise invalid(f"#/columns/{escape(name)}/{row}", detail)
    return array
