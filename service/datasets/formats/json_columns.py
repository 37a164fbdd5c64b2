"""Columns as JSON has them: lists of numbers, of booleans or of texts, in which null is a missing value."""

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import numpy as np

from service.datasets.columns import MOST_CATEGORIES, Kind
from service.datasets.formats.checks import check_types, few_categories
from service.datasets.table import Chunk, Table, Texts, Values, category_of
from service.errors import Invalid, invalid
from service.http import json_numbers
from service.http.long_json.lists import LongList, pieces
from service.pointers import escape

_TYPES: dict[Kind, set[type]] = {"numeric": {int, float}, "boolean": {bool}, "categorical": {str}}
_KINDS = {type: kind for kind, types in _TYPES.items() for type in types}
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


def _check_lengths(columns: Mapping[str, list[Any] | LongList]) -> None:
    first, *others = columns
    for name in others:
        if len(columns[name]) != len(columns[first]):
            lengths = f"{len(columns[name])} rows, but {first!r} has {len(columns[first])}"
            raise invalid(f"#/columns/{escape(name)}", f"Column {name!r} has {lengths}.", "ragged")
    if not len(columns[first]):
        raise invalid("#/columns", "There are no rows.", "empty")


def _column(values: Any, wanted: Kind | None, dtype: str, pointer: str) -> tuple[Kind, Values | Texts]:
    if not isinstance(values, list | LongList):
        raise invalid(pointer, "This is not a list of values.")
    place, first = next(_there(values), (0, 0.0))
    natural = _KINDS.get(type(first))
    if natural is None or (natural == "categorical" and wanted not in (None, natural)):
        raise _other_kind(f"{pointer}/{place}", first, wanted or "numeric")
    if "categorical" in (natural, wanted):
        return "categorical", _texts(values, natural, dtype, pointer)
    array = _array(values, natural, dtype, pointer)
    if wanted == "boolean":
        _check_binary(array, pointer)
    return wanted or natural, array


def _there(values: list[Any] | LongList) -> Iterator[tuple[int, Any]]:
    """The values that are not missing, each with its place."""
    for start, piece in pieces(values):
        yield from ((start + index, value) for index, value in enumerate(piece) if value is not None)


def _check_kind(values: list[Any], kind: Kind, pointer: str, start: int) -> None:
    expected = {*_TYPES[kind], type(None)}
    if not set(map(type, values)) <= expected:
        place = next(i for i, value in enumerate(values) if type(value) not in expected)
        raise _other_kind(f"{pointer}/{start + place}", values[place], kind)


def _array(values: list[Any] | LongList, kind: Kind, dtype: str, pointer: str) -> Values:
    """Numbers, or booleans as such; NaN where one is missing."""
    array = np.empty(len(values), np.float64)
    if isinstance(values, LongList):
        for piece in values.pieces():
            held = json_numbers.held(piece.numbers(), dtype) if kind == "numeric" else None
            if held is None or held.ndim != 1:
                held = _piece(piece.elements(), kind, dtype, pointer, piece.first)
            array[piece.first : piece.first + len(held)] = held
    else:
        array[:] = _piece(values, kind, dtype, pointer, 0)
    return array


def _piece(values: list[Any], kind: Kind, dtype: str, pointer: str, start: int) -> Values:
    _check_kind(values, kind, pointer, start)
    return _numbers(values, dtype, pointer, start) if kind == "numeric" else _floats(values)


def _other_kind(pointer: str, value: Any, expected: Kind) -> Invalid:
    return invalid(pointer, f"This is {json_numbers.kind_of(value)}, but {_EXPECTED[expected]} is expected.")


def _numbers(values: list[Any], dtype: str, pointer: str, start: int) -> Values:
    if None not in values:
        return json_numbers.elements(values, dtype, pointer, start).astype(np.float64)
    plain = [0 if value is None else value for value in values]
    array = json_numbers.elements(plain, dtype, pointer, start).astype(np.float64)
    array[[value is None for value in values]] = np.nan
    return array


def _floats(values: list[bool | None]) -> Values:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _check_binary(array: Values, pointer: str) -> None:
    wrong = ~(np.isnan(array) | (array == 0) | (array == 1))
    if wrong.any():
        raise invalid(f"{pointer}/{wrong.argmax()}", "This is neither 0 nor 1, but a boolean is expected.")


def _texts(values: list[Any] | LongList, kind: Kind, dtype: str, pointer: str) -> Texts:
    """Categories, which may have been sent as values of another kind."""
    codes: dict[str, int] = {}
    array = np.full(len(values), -1, np.int32)
    for start, piece in pieces(values):
        _check_kind(piece, kind, pointer, start)
        if kind == "numeric":
            _numbers(piece, dtype, pointer, start)
        texts = piece if kind == "categorical" else [None if value is None else category_of(value) for value in piece]
        array[start : start + len(piece)] = [
            -1 if text is None else codes.setdefault(text, len(codes)) for text in texts
        ]
        if len(codes) > MOST_CATEGORIES:
            break  # the reader of the column refuses it: no more of its texts are kept
    return Texts(array, list(codes))
