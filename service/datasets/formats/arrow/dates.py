"""Arrow's dates and timestamps, and texts that are dates, as days since 1970-01-01 in UTC."""

import numpy as np
import pyarrow
from numpy.typing import NDArray
from pyarrow import types

from service.datasets.columns import SHOWN
from service.datasets.faults import MOST_OF_A_KIND, Note
from service.datasets.formats.arrow.values import is_of_texts, numbers_of, texts_of
from service.datasets.formats.dates import day_of, is_in_doubt, month_first
from service.datasets.table import Texts, Values
from service.errors import Fault, Invalid
from service.pointers import escape

DATES = (types.is_date, types.is_timestamp)


def is_of_dates(type: pyarrow.DataType) -> bool:
    """Whether a column of numbers holds dates, which become days."""
    within = type.value_type if types.is_dictionary(type) else type
    return is_of_texts(type) or any(matches(within) for matches in DATES)


def days_in(name: str, array: pyarrow.Array, first: int, note: Note) -> tuple[Values, NDArray[np.bool_]]:
    """Return dates as days since 1970-01-01 in UTC, and which of the values are none; the first of these are noted."""
    if types.is_dictionary(array.type) and any(matches(array.type.value_type) for matches in DATES):
        array = array.dictionary_decode()
    if any(matches(array.type) for matches in DATES):
        return _days(array), np.zeros(len(array), bool)
    texts = texts_of(array, limit=None)
    months_first = month_first(texts.categories)
    doubtful = months_first is None
    values = [
        None if doubtful and is_in_doubt((text,)) else day_of(text, months_first=months_first is not False)
        for text in texts.categories
    ]
    days = np.array([*(np.nan if value is None else value for value in values), np.nan])[texts.codes]
    wrong: NDArray[np.bool_] = np.array([*(value is None for value in values), False])[texts.codes]
    if wrong.any():
        note(_no_dates(name, texts, np.flatnonzero(wrong)[:MOST_OF_A_KIND].tolist(), first))
    return days, wrong


def _no_dates(name: str, texts: Texts, rows: list[int], first: int) -> Invalid:
    def detail(row: int) -> str:
        value = texts.categories[texts.codes[row]][:SHOWN]
        return f"Row {first + row}: column {name!r} holds {value!r}, which is no date. Write dates as in 2026-01-31."

    faults = [Fault(f"#/columns/{escape(name)}/{first + row}", detail(row)) for row in rows]
    return Invalid(faults[0].detail, "invalid", tuple(faults))


_TICKS = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def _days(array: pyarrow.Array) -> Values:
    """Return days; those of a timestamp with a zone are in UTC already, and one without counts as UTC."""
    if types.is_date(array.type):
        return numbers_of(array.cast(pyarrow.date32()).cast(pyarrow.int32()))
    return numbers_of(array.cast(pyarrow.int64())) / _TICKS[array.type.unit]
