"""The names and kinds of CSV columns, by the first block of rows."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow

from service.datasets.columns import MOST_CATEGORIES, SHOWN, UNAMBIGUOUS, DateOrder, Kind, in_query
from service.datasets.formats.checks import as_dates, no_date
from service.datasets.formats.csv.dialect import Dialect, not_utf8
from service.datasets.formats.csv.numerals import advice_on, written
from service.datasets.formats.csv.parse import Fault, as_missing, ragged_row, texts_of_rows
from service.datasets.formats.dates import MONTHS_FIRST, day_of, is_in_doubt, month_first, order_of
from service.datasets.formats.numbers_in_texts import is_one_of_texts
from service.datasets.formats.worded_dates import is_time

OF_PANDAS = re.compile(r"Unnamed: [0-9]+(\.[0-9]+)?")
"""The names of columns without a name in files that pandas has read and written again."""
MOST_MARKS = 2
MOST_UNITS = 20
LONGEST_MARK = 20
"""Characters."""
SAMPLED = 1000
"""Values that tell whether a column of texts is rather one of numbers."""


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\s*({pattern})\s*", re.IGNORECASE | re.ASCII)


_BOOLEAN = _pattern("true|false")


@dataclass(frozen=True)
class Columns:
    """Kinds of the columns that are read, and places of those that the text has and that are none of the data."""

    kinds: dict[str, Kind]
    index: Sequence[int] = ()
    """Columns that count the rows: a first one without a name, and such as pandas names when it reads them again."""
    spare: int | None = None
    """A last column without a name and values: lines end in the delimiter."""

    dates: Mapping[str, DateOrder] = field(default_factory=dict)
    """Columns of dates, as the first block tells."""
    months_first: Mapping[str, bool | None] = field(default_factory=dict)
    """Columns of dates, and whether 1/2/2020 is in January; None where the first block does not tell."""
    in_doubt: Sequence[str] = ()
    suspect: Mapping[str, Fault] = field(default_factory=dict)
    """Columns whose kind cannot be told, taken for numbers, and why."""

    @property
    def gone(self) -> list[int]:
        return [*self.index, *(() if self.spare is None else (self.spare,))]


def columns_of(
    data: bytes, dialect: Dialect, types: Mapping[str, Kind], ignored: Collection[str] = (), named: Collection[str] = ()
) -> Columns:
    """Return the kind of each column that is not ignored: of `types`, or as the first value in `data` is; numeric where
    there is no value. Columns that are `named` are kept, whatever they hold. Dates, times, and numbers that are written
    in another way are faults.

    Raises:
        Fault: lines seem to stand above the header.
        Invalid: this is no CSV.
    """
    options = dialect.options
    wanted = {index: name for index, name in enumerate(dialect.names) if name not in ignored}
    values, ragged = texts_of_rows(data, dialect, wanted)
    if ragged and dialect.preamble is not None:  # all other faults may come of that
        row = min(ragged)
        raise ragged_row(row, ragged[row], dialect)
    index, spare = _of_no_use(dialect, wanted, values, {*types, *named, *options.dates})
    kinds: dict[str, Kind] = {}
    orders, dates, doubtful, faults = dict[str, bool | None](), dict[str, DateOrder](), list[str](), dict[str, Fault]()
    for place, name in wanted.items():
        if place in index or place == spare:
            continue
        if name in options.dates or (name in options.known_dates and _begins_with_date(values[place])):
            texts = _different(values[place])
            order = month_first(texts)
            order = MONTHS_FIRST.get(options.known_dates.get(name, UNAMBIGUOUS)) if order is None else order
            kinds[name], orders[name], dates[name] = "numeric", order, order_of(texts, order)
            if order is None and is_in_doubt(texts):
                doubtful.append(name)
        elif name in types:
            kinds[name] = types[name]
        else:
            try:
                kinds[name] = _guess(dialect, place, values[place])
            except Fault as fault:
                kinds[name], faults[name] = "numeric", fault
                if fault.is_time:
                    orders[name] = month_first(_different(values[place]))
    numbers = [place for place, name in wanted.items() if kinds.get(name) == "numeric" and name not in faults]
    if not any(values[place].is_valid()[:1].to_pylist() == [True] for place in numbers):
        _check_units(list(faults.values()), dialect)
    return Columns(kinds, index, spare, dates, orders, doubtful, faults)


def _check_units(faults: Sequence[Fault], dialect: Dialect) -> None:
    """Raise one Fault in place of many where the first row has no number in any column of numbers."""
    marks = list(dict.fromkeys(fault.mark for fault in faults if fault.mark is not None and fault.row == 0))
    if 2 <= len(faults) <= MOST_UNITS and sum(fault.mark in marks for fault in faults) == len(faults):
        options, what = dialect.options, f"holds {', '.join(map(repr, marks))} above numbers"
        names = f"if these are the names, skip={dialect.above} leaves out what stands above them; "
        is_title = dialect.header and 2 * len(dialect.columns.unnamed) > len(dialect.names)
        units = f"{names if is_title else ''}if these are units, take the line out"
        as_row = f", or leave it out with {as_missing(marks, options, 'drop')}" if options.refuses_missing else ""
        raise Fault(0, None, f"{what}: {units}{as_row}.")


def _of_no_use(
    dialect: Dialect, wanted: Mapping[int, str], values: Mapping[int, pyarrow.Array], named: Collection[str]
) -> tuple[list[int], int | None]:
    """Return the places of columns that count rows and have no name of their own, and of a last one without values."""
    free = [place for place in dialect.columns.unnamed if place in wanted and wanted[place] not in named]
    last, spare = len(dialect.names) - 1, None
    if free and free[-1] == last > 0 and values[last].null_count == len(values[last]):
        spare = last
    written = [place for place, name in wanted.items() if OF_PANDAS.fullmatch(name) and name not in named]
    index = [
        place for place in sorted({*free[:1], *written}) if (place == 0 or place in written) and _counts(values[place])
    ]
    others = len(wanted) - (spare is not None)
    return index if len(index) < others else [], spare


def _different(values: pyarrow.Array) -> list[str]:
    return [text.decode(errors="replace") for text in values.drop_null().unique().to_pylist()]


def _begins_with_date(values: pyarrow.Array) -> bool:
    row = values.is_valid().index(True).as_py()
    text = values[row].as_py().decode(errors="replace") if row >= 0 else ""
    return is_time(text) or day_of(text, months_first=True) is not None


def _counts(texts: pyarrow.Array) -> bool:
    """Whether a column's values are 0, 1, 2, ... or 1, 2, 3, ..."""
    if not len(texts) or texts.null_count or texts[0].as_py().strip() not in (b"0", b"1"):
        return False
    try:
        numbers = texts.cast(pyarrow.string()).cast(pyarrow.int64()).to_numpy()
    except pyarrow.ArrowInvalid:
        return False
    return bool((numbers == np.arange(len(numbers)) + numbers[0]).all())


def _guess(dialect: Dialect, column: int, values: pyarrow.Array) -> Kind:
    name = dialect.names[column]
    row = values.is_valid().index(True).as_py()
    if row < 0:
        return "numeric"
    try:
        text = values[row].as_py().decode()
    except UnicodeDecodeError:
        raise Fault(row, column, f"is {not_utf8(b' '.join(values.drop_null()[:SAMPLED].to_pylist()))}") from None
    if is_time(text) and not is_one_of_texts(text, _different(values[:SAMPLED])):
        raise _no_date(row, column, text, dialect, values)
    is_number = re.compile(written(dialect.options.decimal, dialect.options.thousands)).match
    if is_number(text):
        return "numeric"
    number = advice_on(text, name, dialect.options.decimal)
    if number and not is_one_of_texts(text, _different(values[:SAMPLED])):
        raise Fault(row, column, f"holds {text[:SHOWN]!r}, {number}")
    comment = dialect.options.comment
    if comment is not None and (ends := [each for each in _different(values)[:SAMPLED] if f" {comment}" in each]):
        what = f"holds {ends[0][:SHOWN]!r}; comment={in_query(comment)} leaves out lines, and no ends of them"
        raise Fault(row, column, f"{what}: take these off, or types={in_query(name)}:categorical takes all as texts.")
    if _BOOLEAN.fullmatch(text):
        return "boolean"
    if mark := _mark_among_numbers(values, is_number):
        if row == 0 and not dialect.header:
            remedy = "if the first line has the names, leave header=false out; columns= replaces them"
            raise Fault(row, column, f"holds {mark!r} above numbers: {remedy}.")
        missing = f"if it stands for a missing value, use {as_missing([mark], dialect.options)}"
        texts = f"if the column holds texts, types={in_query(name)}:categorical"
        raise Fault(row, column, f"holds {mark!r} among numbers: {missing}; {texts}.", mark=mark)
    return "categorical"


def _no_date(row: int, column: int, text: str, dialect: Dialect, values: pyarrow.Array) -> Fault:
    """Return the fault of a column whose first value is a date or a time, with a remedy for all of its values."""
    name, texts = dialect.names[column], _different(values)[:SAMPLED]
    months_first = month_first(texts) is not False
    marks = [each for each in texts if day_of(each, months_first=months_first) is None]
    if len(marks) <= MOST_MARKS and 2 * len(marks) < len(texts):
        return Fault(row, column, no_date(text, as_dates(name, as_missing(marks, dialect.options))), is_time=True)
    what = f"holds {text[:SHOWN]!r}, a date or a time; not all values are dates with a year and a month"
    return Fault(row, column, f"{what}: {as_texts(name, len(texts))}.")


def as_texts(name: str, texts: int) -> str:
    """Return the remedy for a column with so many different texts, which are neither numbers nor dates."""
    left_out = f"ignore={in_query(name)} leaves the column out"
    if texts > MOST_CATEGORIES:
        return left_out
    return f"types={in_query(name)}:categorical takes its values as texts, {left_out}"


def _mark_among_numbers(values: pyarrow.Array, is_number: Callable[[str], object]) -> str | None:
    """Return the text that stands among numbers, where nearly all of the first values are numbers."""
    counts = {each["values"].decode(errors="replace"): each["counts"] for each in _counted(values)}
    marks = [text for text in counts if not is_number(text)]
    rest = sum(counts[mark] for mark in marks)
    is_mark = len(marks) <= MOST_MARKS and rest < sum(counts.values()) - rest and len(marks[0]) <= LONGEST_MARK
    return marks[0] if is_mark else None


def _counted(values: pyarrow.Array) -> list[dict[str, Any]]:
    counted: list[dict[str, Any]] = values.drop_null()[:SAMPLED].value_counts().to_pylist()
    return counted
