"""Columns as JSON has them: lists of numbers, of booleans or of texts, in which null is a missing value."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np

from service import numbers
from service.datasets.chunks import Chunk, Kind, Table, Texts, Values, category_of
from service.datasets.formats.columns import check_types, few_categories
from service.errors import Invalid, invalid
from service.pointers import escape

_TYPES: dict[Kind, set[type]] = {"numeric": {int, float}, "boolean": {bool}, "categorical": {str}}
_KINDS = {type: kind for kind, types in _TYPES.items() for type in types}
_NAMES = {int: "a number", float: "a number", bool: "a boolean", str: "a text", list: "a list", dict: "an object"}
_EXPECTED: dict[Kind, str] = {"numeric": "a number", "boolean": "a boolean", "categorical": "a text"}


def json_table(columns: Mapping[str, Any], types: Mapping[str, Kind], dtype: str) -> Table:
    """The columns of a JSON body as a table of one chunk. Their kinds are those of `types`, or of their first values.

    Raises:
        Invalid: with the pointer of the first value of another kind, or too large for `dtype`; or lengths differ.
    """
    check_types(types, columns, "#/types")
    kinds: dict[str, Kind] = {}
    read: dict[str, Values | Texts] = {}
    for name, values in columns.items():
        kinds[name], read[name] = _column(values, types.get(name), dtype, f"#/columns/{escape(name)}")
    _check_lengths(columns)
    return Table(kinds, few_categories(_alone(Chunk(read, lambda row: f"Row {row}")), types))


def _alone(chunk: Chunk) -> Generator[Chunk]:
    yield chunk


def _check_lengths(columns: Mapping[str, Sequence[Any]]) -> None:
    first, *others = columns
    for name in others:
        if len(columns[name]) != len(columns[first]):
            lengths = f"{len(columns[name])} rows, but {first!r} has {len(columns[first])}"
            raise invalid(f"#/columns/{escape(name)}", f"Column {name!r} has {lengths}.", "ragged")
    if not columns[first]:
        raise invalid("#/columns", "There are no rows.", "empty")


def _column(values: Any, wanted: Kind | None, dtype: str, pointer: str) -> tuple[Kind, Values | Texts]:
    if not isinstance(values, list):
        raise invalid(pointer, "This is not a list of values.")
    place, first = next(((i, value) for i, value in enumerate(values) if value is not None), (0, 0.0))
    natural = _KINDS.get(type(first))
    if natural is None or (natural == "categorical" and wanted not in (None, natural)):
        raise _other_kind(f"{pointer}/{place}", first, wanted or "numeric")
    if not set(map(type, values)) <= _TYPES[natural] | {type(None)}:
        expected = {*_TYPES[natural], type(None)}
        place = next(i for i, value in enumerate(values) if type(value) not in expected)
        raise _other_kind(f"{pointer}/{place}", values[place], natural)
    if natural == "categorical":
        return natural, _texts(values)
    array = _numbers(values, dtype, pointer) if natural == "numeric" else _floats(values)
    if wanted == "categorical":
        return wanted, _texts([None if value is None else category_of(value) for value in values])
    if wanted == "boolean":
        _check_binary(array, pointer)
    return wanted or natural, array


def _other_kind(pointer: str, value: Any, expected: Kind) -> Invalid:
    return invalid(pointer, f"This is {_NAMES[type(value)]}, but {_EXPECTED[expected]} is expected.")


def _numbers(values: list[Any], dtype: str, pointer: str) -> Values:
    if None not in values:
        return numbers.column(values, dtype, pointer).astype(np.float64)
    array = numbers.column([0 if value is None else value for value in values], dtype, pointer).astype(np.float64)
    array[[value is None for value in values]] = np.nan
    return array


def _floats(values: list[bool | None]) -> Values:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _check_binary(array: Values, pointer: str) -> None:
    wrong = ~(np.isnan(array) | (array == 0) | (array == 1))
    if wrong.any():
        raise invalid(f"{pointer}/{wrong.argmax()}", "This is neither 0 nor 1, but a boolean is expected.")


def _texts(values: Sequence[str | None]) -> Texts:
    codes: dict[str, int] = {}
    array = np.array([-1 if text is None else codes.setdefault(text, len(codes)) for text in values], np.int32)
    return Texts(array, list(codes))
