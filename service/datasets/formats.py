"""From a body to columns of numbers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from service import numbers
from service.datasets.schemas import MOST_COLUMNS, ColumnName
from service.errors import Fault, Invalid, invalid
from service.numbers import Array
from service.pointers import escape

if TYPE_CHECKING:
    import pyarrow

MOST_FAULTS = 10
_NUMBER = re.compile(rb"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?[ \t]*", re.IGNORECASE)
_COLUMN_NAME: TypeAdapter[str] = TypeAdapter(ColumnName)


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
    table = _read_csv(body)
    names = _column_names(table)
    if not table.num_rows or len(names) < 2:
        raise invalid("#", "Give a header line, at least two columns and at least one row.", "empty")
    if len(names) > MOST_COLUMNS:
        raise invalid("#", f"There are {len(names)} columns; at most {MOST_COLUMNS} are read.", "too_many_columns")
    _refuse(body, (wrong for name in names for wrong in _not_numbers(name, table.column(name), body)))
    with np.errstate(over="ignore"):
        columns: dict[str, Array] = {name: table.column(name).to_numpy().astype(dtype) for name in names}
    _refuse(body, (wrong for name in names for wrong in _not_finite(name, columns[name])))
    return columns


def _read_csv(body: bytes, types: "Mapping[str, pyarrow.DataType] | None" = None) -> "pyarrow.Table":
    import pyarrow  # here: it takes a third of a second, and only this format needs it
    from pyarrow import csv

    options = csv.ConvertOptions(strings_can_be_null=True, null_values=[""], column_types=types)
    try:
        return csv.read_csv(pyarrow.BufferReader(body), convert_options=options)
    except pyarrow.ArrowInvalid as error:
        detail = _ragged_row(body) or f"The body is not CSV with a header line: {error}."
        raise invalid("#", detail, "malformed") from None


def _ragged_row(body: bytes) -> str | None:
    """What is wrong with the first row that has not as many values as the header, if there is one."""
    import pyarrow
    from pyarrow import csv

    try:  # one thread: several do not know the numbers of rows
        csv.read_csv(pyarrow.BufferReader(body), csv.ReadOptions(use_threads=False))
    except pyarrow.ArrowInvalid as error:
        found = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
        if found:
            row, expected, given = map(int, found.groups())
            return f"Line {_lines_of_rows(body)[row - 1]} has {given} values, but the header names {expected} columns."
    return None


def _lines_of_rows(body: bytes) -> list[int]:
    """The line, from 1, of each row, the header being row 0: empty lines hold no row."""
    return [number for number, line in enumerate(body.splitlines(), 1) if line]


def _column_names(table: "pyarrow.Table") -> list[str]:
    try:
        names: list[str] = table.column_names
    except UnicodeDecodeError:
        raise invalid("#", "The header line is not UTF-8.", "malformed") from None
    seen = set()
    for number, name in enumerate(names, 1):
        if name in seen:
            raise invalid("#", f"Columns need different names; {name!r} is there twice.", "duplicate_column")
        seen.add(name)
        try:
            _COLUMN_NAME.validate_python(name)
        except ValidationError:
            detail = f"Column {number} is named {name[:50]!r}; a name has 1 to 100 characters, none of them control."
            raise invalid("#", detail, "bad_column_name") from None
    return names


def _refuse(body: bytes, wrong: Iterable[tuple[int, str, str]]) -> None:
    """Raise Invalid for the first few of some rows, columns and what is wrong there; nothing where there are none."""
    first = list(islice(wrong, MOST_FAULTS))
    if first:
        lines = _lines_of_rows(body)
        faults = [
            Fault(f"#/columns/{escape(name)}/{row}", f"Line {lines[row + 1]}: {what}") for row, name, what in first
        ]
        raise Invalid(faults[0].detail, "invalid", tuple(faults))


def _not_numbers(name: str, values: "pyarrow.ChunkedArray", body: bytes) -> Iterator[tuple[int, str, str]]:
    import pyarrow.types as kinds

    if values.null_count:
        for row in np.flatnonzero(values.is_null().to_numpy()).tolist():
            yield row, name, f"the value of column {name!r} is missing."
    elif not (kinds.is_integer(values.type) or kinds.is_floating(values.type)):
        row, value = _first_text(name, body)
        yield row, name, f"column {name!r} holds {value[:50]!r}, which is no number."


def _first_text(name: str, body: bytes) -> tuple[int, str]:
    """The first value of a column that is no number, with its row, as it stands in the body."""
    import pyarrow

    texts = _read_csv(body, {name: pyarrow.binary()}).column(name)
    values = (value.as_py() for value in texts)
    row, value = next((row, value) for row, value in enumerate(values) if not _NUMBER.fullmatch(value))
    return row, value.decode(errors="replace")


def _not_finite(name: str, values: Array) -> Iterator[tuple[int, str, str]]:
    for row in np.flatnonzero(~np.isfinite(values)).tolist():
        yield row, name, f"the number in column {name!r} is not finite in {values.dtype}."
