"""The reading of rows among which some are at fault: what can be read, and the faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow
from numpy.typing import NDArray

from service.datasets.columns import MOST_ASKED_FOR, SHOWN
from service.datasets.faults import MOST_OF_A_KIND
from service.datasets.formats.csv.dialect import Dialect, not_utf8
from service.datasets.formats.csv.kinds import MOST_MARKS, Columns, as_texts
from service.datasets.formats.csv.numerals import advice_on, number_of
from service.datasets.formats.csv.parse import Fault, no_value, ragged_row, texts_of_rows
from service.datasets.formats.dates import day_of
from service.datasets.formats.worded_numbers import BOOLEANS
from service.datasets.table import Texts, Values


@dataclass
class Salvaged:
    """Columns of rows, their wrong values, and the faults: rows that are too long or short, values of another kind."""

    columns: dict[str, Values | Texts] = field(default_factory=dict)
    wrong: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    rows: list[Fault] = field(default_factory=list)
    values: list[Fault] = field(default_factory=list)


def salvaged(data: bytes, dialect: Dialect, columns: Columns) -> Salvaged:
    """Read whole rows, as far as they can be read."""
    places = {name: dialect.names.index(name) for name in columns.kinds}
    spare = [] if columns.spare is None else [columns.spare]
    texts, ragged = texts_of_rows(data, dialect, [*places.values(), *spare])
    found = Salvaged()
    found.rows = [ragged_row(row, ragged[row], dialect) for row in sorted(ragged)[:MOST_OF_A_KIND]]
    for name, place in places.items():
        column, wrong = _column(name, place, texts[place], dialect, columns, found.values)
        wrong[list(ragged)] = True
        found.columns[name], found.wrong[name] = column, wrong
    for place in spare:
        for row in np.flatnonzero(texts[place].is_valid())[:MOST_OF_A_KIND].tolist():
            found.values.append(no_value(row, place, "null", _text(texts[place][row].as_py()), dialect))
    found.values = _of_many_columns(found.values)
    return found


def _of_many_columns(faults: list[Fault]) -> list[Fault]:
    """Return the first fault of each column, and then others by row, as many as are told."""
    ordered = sorted(faults, key=lambda fault: fault.row)
    first = {fault.column: fault for fault in reversed(ordered)}.values()
    chosen = sorted(ordered, key=lambda fault: fault not in first)[:MOST_OF_A_KIND]
    return sorted(chosen, key=lambda fault: fault.row)


def _column(
    name: str, place: int, raw: pyarrow.Array, dialect: Dialect, columns: Columns, faults: list[Fault]
) -> tuple[Values | Texts, NDArray[np.bool_]]:
    """Return a column, and which of its values are wrong; note its first faults."""
    encoded = raw.dictionary_encode()
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy()
    texts = [_utf8(each) for each in encoded.dictionary.to_pylist()]
    kind = columns.kinds[name]
    if kind == "categorical":
        values: list[float | None] = [None if text is None else np.nan for text in texts]
    else:
        read = _reader(name, dialect, columns)
        values = [None if text is None else read(text) for text in texts]
    wrong = np.array([*(value is None for value in values), False])[codes]
    if name not in columns.suspect:
        rows = np.flatnonzero(wrong)[:MOST_OF_A_KIND].tolist()
        found = [_fault(row, place, texts[codes[row]], raw[row].as_py(), name, dialect, columns) for row in rows]
        strange = [text for text, value in zip(texts, values, strict=True) if value is None and text is not None]
        is_known = kind == "categorical" or name in columns.months_first or name in dialect.options.expected
        if not is_known and _are_texts(strange, name, dialect):
            (row, what), remedy = (rows[0], strange[0][:SHOWN]), as_texts(name, len(texts))
            found = [Fault(row, place, f"holds {what!r} and {len(strange) - 1} more texts: {remedy}.")]
        faults += found
    if kind == "categorical":
        kept = [text for text in texts if text is not None][: MOST_ASKED_FOR + 1]  # as many are refused by others
        code_of = {text: code for code, text in enumerate(kept)}
        return Texts(
            np.array([*(-1 if text is None else code_of.get(text, -1) for text in texts), -1], np.int32)[codes], kept
        ), wrong
    return np.array([*(np.nan if value is None else value for value in values), np.nan])[codes], wrong


def _are_texts(strange: Sequence[str], name: str, dialect: Dialect) -> bool:
    """Whether texts in a column of other values are too many for marks of missing ones, and no numbers as people
    write them.
    """
    return len(strange) > MOST_MARKS and not any(advice_on(each, name, dialect.options.decimal) for each in strange)


def _reader(name: str, dialect: Dialect, columns: Columns) -> Callable[[str], float | None]:
    """Return the function that reads a value of a numeric or boolean column; None where it is none."""
    options = dialect.options
    if name in columns.months_first:
        months_first = columns.months_first[name] is not False
        return lambda text: day_of(text, months_first=months_first)
    if columns.kinds[name] == "boolean":
        return lambda text: BOOLEANS.get(text.strip().lower())
    return lambda text: number_of(text, options.decimal, options.thousands)


def _fault(row: int, place: int, text: str | None, raw: bytes, name: str, dialect: Dialect, columns: Columns) -> Fault:
    if text is None:
        return Fault(row, place, f"is {not_utf8(raw)}")
    if name in columns.months_first:
        return no_date(row, place, _text(raw))
    return no_value(row, place, "bool" if columns.kinds[name] == "boolean" else "double", _text(raw), dialect)


def no_date(row: int, place: int, text: str) -> Fault:
    detail = f"holds {text[:SHOWN]!r}, which is no date."
    return Fault(row, place, f"{detail} Write dates as in 2026-01-31.")


def _utf8(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
