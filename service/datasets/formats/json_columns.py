"""Columns as JSON has them: lists of numbers, of booleans or of texts, in which null is a missing value."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.datasets.columns import MOST_ASKED_FOR, SHOWN, DateOrder, Kind, WantedKind
from service.datasets.faults import MOST_OF_A_KIND, Note, refuse
from service.datasets.formats.checks import check_types, few_categories
from service.datasets.formats.dates import day_of, in_far_years, is_in_doubt, month_first, order_of, read_month_first
from service.datasets.formats.worded_numbers import is_plain, number_in
from service.datasets.table import Chunk, Table, Texts, Values, category_of
from service.errors import Fault, Invalid, invalid
from service.http import json_numbers
from service.http.long_json.lists import LongList, pieces
from service.learning.planning.advice import Advice
from service.pointers import escape

_TYPES: dict[Kind, set[type]] = {"numeric": {int, float}, "boolean": {bool}, "categorical": {str}}
_KINDS = {type: kind for kind, types in _TYPES.items() for type in types}
_EXPECTED: dict[Kind, str] = {"numeric": "a number", "boolean": "a boolean", "categorical": "a text"}


def json_table(columns: Mapping[str, Any], types: Mapping[str, WantedKind], dtype: str, note: Note = refuse) -> Table:
    """The columns of a JSON body as a table of one chunk. Their kinds are those of `types`, or of their first values.

    Values of another kind, or too large for `dtype`, are noted, and so are columns of another length.
    """
    check_types(types, columns, "#/types", note)
    kinds: dict[str, Kind] = {}
    read: dict[str, Values | Texts] = {}
    wrong: dict[str, NDArray[np.bool_]] = {}
    advice: list[Advice] = []
    dates: dict[str, DateOrder] = {}
    for name, values in columns.items():
        wanted, pointer = types.get(name), f"#/columns/{escape(name)}"
        if wanted == "date":
            kinds[name] = "numeric"
            read[name], wrong[name], order, texts = _days(values, pointer, note)
            advice += [read_month_first(name)] if order is None and is_in_doubt(texts) else []
            advice += in_far_years(name, sorted(texts), months_first=order is not False)
            dates[name] = order_of(texts, order)
            continue
        if wanted in ("numeric", "boolean") and _are_texts(values):
            kinds[name] = wanted
            read[name], wrong[name] = _from_texts(values, wanted, pointer, note)
            continue
        try:
            kinds[name], read[name] = _column(values, wanted, dtype, pointer)
        except Invalid as refused:
            note(refused)
            kinds[name], read[name], wrong[name] = _salvaged(values, wanted)
    chunk = _of_one_length(Chunk(read, lambda row: f"Row {row}", wrong), note)
    return Table(kinds, few_categories(_alone(chunk), types, note), advice=advice, dates=dates, told=types)


def _are_texts(values: Any) -> bool:
    """Whether the first value of a column that is not missing is a text."""
    return isinstance(values, list | LongList) and isinstance(next(_there(values), (0, None))[1], str)


def _from_texts(values: list[Any] | LongList, kind: Kind, pointer: str, note: Note) -> tuple[Values, NDArray[np.bool_]]:
    """Return the numbers or booleans that texts are, and which of them are none; note the first of these."""
    read, wrong = np.full(len(values), np.nan), np.zeros(len(values), bool)
    for place, value in _there(values):
        number = number_in(value, kind) if isinstance(value, str) else value if type(value) in _TYPES[kind] else None
        with suppress(OverflowError):
            read[place] = np.nan if number is None else number
        wrong[place] = number is None or np.isinf(read[place])
    if wrong.any():
        detail = (
            f"This is not {_EXPECTED[kind]} in a text: give null where one is missing, or set its type to categorical."
        )
        rows = np.flatnonzero(wrong)[:MOST_OF_A_KIND].tolist()
        note(Invalid(detail, "invalid", tuple(Fault(f"{pointer}/{row}", detail) for row in rows)))
        read[wrong] = np.nan
    return read, wrong


def _days(values: Any, pointer: str, note: Note) -> tuple[Values, NDArray[np.bool_], bool | None, set[str]]:
    """Return days in place of dates, which values are none, whether the month comes first, and all texts; note the
    first that are no dates.
    """
    texts = {value for _, value in _there(values) if isinstance(value, str)}
    order = month_first(texts)
    known = {text: day_of(text, months_first=order is not False) for text in texts}
    days, wrong = np.full(len(values), np.nan), np.zeros(len(values), bool)
    for place, value in _there(values):
        day = known[value] if isinstance(value, str) else None
        days[place], wrong[place] = np.nan if day is None else day, day is None
    if wrong.any():
        detail = 'This is no date: write dates as texts, as in "2026-01-31".'
        rows = np.flatnonzero(wrong)[:MOST_OF_A_KIND].tolist()
        note(Invalid(detail, "invalid", tuple(Fault(f"{pointer}/{row}", detail) for row in rows)))
    return days, wrong, order, texts


def _alone(chunk: Chunk) -> Generator[Chunk]:
    if chunk.rows:
        yield chunk


def _of_one_length(chunk: Chunk, note: Note) -> Chunk:
    """Return the rows that all columns have; other lengths than the first column's are noted."""
    lengths = {name: len(each.codes if isinstance(each, Texts) else each) for name, each in chunk.columns.items()}
    first = next(iter(lengths))
    faults = [
        Fault(
            f"#/columns/{escape(name)}",
            f"Column {name!r} has {length} rows, but {first!r} has {lengths[first]}.",
        )
        for name, length in lengths.items()
        if length != lengths[first]
    ]
    if not faults:
        if not lengths[first]:
            note(invalid("#/columns", "There are no rows.", "empty"))
        return chunk
    note(Invalid(faults[0].detail, "ragged", tuple(faults[:MOST_OF_A_KIND])))
    rows = min(lengths.values())
    columns = {
        name: Texts(each.codes[:rows], each.categories) if isinstance(each, Texts) else each[:rows]
        for name, each in chunk.columns.items()
    }
    return Chunk(columns, chunk.where, {name: each[:rows] for name, each in chunk.wrong.items()})


def _column(values: Any, wanted: Kind | None, dtype: str, pointer: str) -> tuple[Kind, Values | Texts]:
    if not isinstance(values, list | LongList):
        raise invalid(pointer, "This is not a list of values.")
    place, first = next(_there(values), (0, 0.0))
    natural = _KINDS.get(type(first))
    if natural is None or (natural == "categorical" and wanted not in (None, natural)):
        raise _other_kinds(pointer, {place: first}, wanted or "numeric")
    if "categorical" in (natural, wanted):
        return "categorical", _texts(values, natural, dtype, pointer)
    array = _array(values, natural, dtype, pointer)
    if wanted == "boolean":
        _check_binary(array, pointer)
    return wanted or natural, array


def _salvaged(values: Any, wanted: Kind | None) -> tuple[Kind, Values | Texts, NDArray[np.bool_]]:
    """Return those values of a column that are of its kind, and which are not."""
    _, first = next(_there(values), (0, 0.0))
    kind: Kind = wanted or _KINDS.get(type(first)) or "numeric"
    texts = kind == "categorical"
    array: NDArray[Any] = np.full(len(values), -1, np.int32) if texts else np.full(len(values), np.nan)
    wrong = np.zeros(len(values), bool)
    known: dict[str, int] = {}
    for place, value in _there(values):
        if type(value) not in _TYPES[kind]:
            wrong[place] = True
        elif texts:
            array[place] = known.setdefault(value, len(known))
        else:
            with suppress(OverflowError):
                array[place] = value
            if not np.isfinite(array[place]):
                array[place], wrong[place] = np.nan, True
    return kind, Texts(array, list(known)) if texts else array, wrong


def _there(values: list[Any] | LongList) -> Iterator[tuple[int, Any]]:
    """The values that are not missing, each with its place."""
    for start, piece in pieces(values):
        yield from ((start + index, value) for index, value in enumerate(piece) if value is not None)


def _check_kind(values: list[Any], kind: Kind, pointer: str, start: int) -> None:
    expected = {*_TYPES[kind], type(None)}
    if not set(map(type, values)) <= expected:
        places = (place for place, value in enumerate(values) if type(value) not in expected)
        raise _other_kinds(pointer, {start + place: values[place] for place in islice(places, MOST_OF_A_KIND)}, kind)


def _array(values: list[Any] | LongList, kind: Kind, dtype: str, pointer: str) -> Values:
    """Numbers, or booleans as such; NaN where one is missing."""
    array = np.empty(len(values), np.float64)
    if isinstance(values, LongList):
        for piece in values.pieces():
            numbers = piece.numbers() if kind == "numeric" else None
            if numbers is None or numbers.ndim != 1 or json_numbers.held(numbers, dtype) is None:
                numbers = _piece(piece.elements(), kind, dtype, pointer, piece.first)
            array[piece.first : piece.first + len(numbers)] = numbers
    else:
        array[:] = _piece(values, kind, dtype, pointer, 0)
    return array


def _piece(values: list[Any], kind: Kind, dtype: str, pointer: str, start: int) -> Values:
    _check_kind(values, kind, pointer, start)
    return _numbers(values, dtype, pointer, start) if kind == "numeric" else _floats(values)


def _other_kinds(pointer: str, values: Mapping[int, Any], expected: Kind) -> Invalid:
    """Return the fault of values, by their places, that are not of the kind that is expected."""
    wanted = _EXPECTED[expected]
    details = {
        place: f"This is {json_numbers.kind_of(value)}, but {wanted} is expected{_unquoted(value, expected)}."
        for place, value in values.items()
    }
    faults = tuple(Fault(f"{pointer}/{place}", detail) for place, detail in details.items())
    return Invalid(faults[0].detail, "invalid", faults)


def _unquoted(value: Any, expected: Kind) -> str:
    """Return the remedy for a number in a text."""
    is_number = expected == "numeric" and isinstance(value, str) and is_plain(value)
    return f": send {value.strip()[:SHOWN]} without quotes" if is_number else ""


def _numbers(values: list[Any], dtype: str, pointer: str, start: int) -> Values:
    if None not in values:
        return json_numbers.exact(values, dtype, pointer, start)
    plain = [0 if value is None else value for value in values]
    array = json_numbers.exact(plain, dtype, pointer, start)
    array[[value is None for value in values]] = np.nan
    return array


def _floats(values: list[bool | None]) -> Values:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _check_binary(array: Values, pointer: str) -> None:
    wrong = ~(np.isnan(array) | (array == 0) | (array == 1))
    if wrong.any():
        detail = "This is neither 0 nor 1, but a boolean is expected."
        rows = np.flatnonzero(wrong)[:MOST_OF_A_KIND].tolist()
        raise Invalid(detail, "invalid", tuple(Fault(f"{pointer}/{row}", detail) for row in rows))


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
        if len(codes) > MOST_ASKED_FOR:
            break  # the reader of the column refuses it: no more of its texts are kept
    return Texts(array, list(codes))
