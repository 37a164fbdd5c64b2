"""Whole rows of CSV as Arrow's arrays, and their faults by row and column."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from urllib.parse import quote

import numpy as np
import pyarrow
from pyarrow import csv

from service.datasets.columns import SHOWN, in_query
from service.datasets.formats.csv.dialect import Dialect, not_utf8
from service.datasets.formats.csv.numerals import advice_on, without_thousands
from service.datasets.formats.numbers_in_texts import form_of
from service.datasets.formats.worded_dates import is_time
from service.datasets.formats.worded_numbers import MISSING
from service.datasets.table import ReadOptions
from service.errors import invalid

_WITHOUT_MARK = [text for text in MISSING if "#" not in text]
_RAGGED = re.compile(r"CSV parse error: Row #(\d+): Expected \d+ columns, got (\d+)")
_NO_VALUE = re.compile(r"In CSV column #(\d+): Row #(\d+): CSV conversion error to (\w+)[^:]*: (.*)", re.DOTALL)
_NAMED_MARKS = {" ": "a blank", "\t": "a tab"}
MOST_PLACES = 6
"""Decimals with which few programs write more of a number that stands for a missing value."""
LARGE = 1e15
"""Numbers from here on are written with a power."""
_EXPECTED = {"double": "no number", "bool": "neither true nor false"}


@dataclass(eq=False)
class Fault(Exception):
    """A fault in a row of those parsed, counted from 0; without a column, it is in the row as a whole."""

    row: int
    column: int | None
    what: str
    is_time: bool = False
    mark: str | None = None
    """The text that stands among numbers, if it is one."""


def spellings(texts: Iterable[str], decimal: str = ".") -> Iterator[str]:
    """Yield texts that stand for missing values, and other ways to write those that are numbers: -999, -999.00 and
    -9.99E+02.
    """
    for text in texts:
        yield from (text, text.strip(" \t"))
        with suppress(ValueError, OverflowError):
            number = float(text)
            yield from (str(number), str(int(number)) if number.is_integer() else text)
            yield from (each.replace(".", decimal) for each in _written(number) if float(each) == number)


def _written(number: float) -> Iterator[str]:
    """Yield a number as programs round it."""
    for places in range(MOST_PLACES + 1):
        if abs(number) < LARGE:
            yield f"{number:.{places}f}"
        power = f"{number:.{places}e}"
        for each in (power, power.replace("e+", "e")):
            yield from (each, each.upper())


def _in_any_case(word: str) -> list[str]:
    return list(map("".join, product(*zip(word.lower(), word.upper(), strict=True))))


def texts_of_rows(
    data: bytes, dialect: Dialect, places: Collection[int]
) -> tuple[dict[int, pyarrow.Array], dict[int, int]]:
    """Return the values of columns at `places` as bytes, null where they are missing, and the rows that have another
    number of values than there are columns, with that number; all of their values are null.
    """
    ragged: dict[int, int] = {}

    def left_out(row: csv.InvalidRow) -> str:
        ragged[row.number - 1] = row.actual_columns
        return "skip"

    types = [pyarrow.binary() if place in places else None for place in range(len(dialect.names))]
    arrays = dict(zip(sorted(places), parse(data, dialect, types, left_out), strict=True))
    if not ragged:
        return arrays, ragged
    rows = max((len(each) for each in arrays.values()), default=0) + len(ragged)
    gone = np.zeros(rows, bool)
    gone[list(ragged)] = True
    taken = pyarrow.array(np.cumsum(~gone) - 1, mask=gone)
    return {place: array.take(taken) for place, array in arrays.items()}, ragged


def parse(
    data: bytes,
    dialect: Dialect,
    types: Sequence[pyarrow.DataType | None],
    ragged: Callable[[csv.InvalidRow], str] | None = None,
) -> list[pyarrow.Array]:
    """The columns of `data` as arrays of `types`; those without a type are left out.

    `ragged` is called with rows that are too short or too long.

    Raises:
        Fault: the first that pyarrow found.
    """
    names = [str(index) for index in range(len(types))]
    # The thread that asks is the one that parses: only then does pyarrow know the numbers of rows.
    read = csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names)
    form = csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True, invalid_row_handler=ragged)
    options = dialect.options
    wanted = {name: type for name, type in zip(names, types, strict=True) if type is not None}
    # Numbers begin as 1.#IND does, and are compared with it; to look for its # takes no time.
    missing = MISSING if b"#" in data else _WITHOUT_MARK
    grouped = [name for name, type in wanted.items() if type == pyarrow.float64() and options.thousands is not None]
    convert = csv.ConvertOptions(
        column_types={**wanted, **dict.fromkeys(grouped, pyarrow.string())},
        include_columns=list(wanted),
        null_values=[*missing, *spellings(options.missing_values, options.decimal)],
        strings_can_be_null=True,
        decimal_point=options.decimal,
        true_values=["1", "1.0", *_in_any_case("true")],
        false_values=["0", "0.0", *_in_any_case("false")],
    )
    if not data or data.isspace():
        return [pyarrow.nulls(0, type) for type in wanted.values()]
    try:
        table = csv.read_csv(pyarrow.BufferReader(data), read, form, convert)
    except pyarrow.ArrowInvalid as error:
        raise _fault(str(error), dialect) from None
    if not table.num_rows:  # all of them are ragged
        return [pyarrow.nulls(0, type) for type in wanted.values()]
    arrays = {name: column.chunk(0) for name, column in zip(wanted, table.columns, strict=True)}
    for name in grouped:
        assert options.thousands is not None
        arrays[name], wrong = without_thousands(arrays[name], options.decimal, options.thousands)
        if wrong is not None:
            raise no_value(wrong, int(name), "double", arrays[name][wrong].as_py(), dialect)
    return list(arrays.values())


def _fault(message: str, dialect: Dialect) -> Exception:
    if found := _RAGGED.match(message):
        row, values = map(int, found.groups())
        return ragged_row(row - 1, values, dialect)
    if found := _NO_VALUE.match(message):
        row, column, type, value = int(found[2]) - 1, int(found[1]), found[3], found[4]
        if type not in (*_EXPECTED, "null"):
            return Fault(row, column, f"is {not_utf8()}")
        return no_value(row, column, type, value.removeprefix("invalid value '").removesuffix("'"), dialect)
    return invalid("#", f"The body is not CSV: {message}.", "malformed")


def ragged_row(row: int, values: int, dialect: Dialect) -> Fault:
    what = f"has {values} values, but {dialect.width}"
    mark = _NAMED_MARKS.get(" " if dialect.by_blanks else dialect.delimiter, repr(dialect.delimiter))
    if values > len(dialect.names) > 1 and dialect.preamble is not None:
        return Fault(row, None, f"{what} Otherwise put a value that holds {mark} in double quotes.")
    if dialect.preamble is not None:
        return Fault(row, None, what)
    if values > len(dialect.names):
        remedy = f"Put a value that holds {mark} in double quotes, or take {mark} off the end of the line."
    else:
        remedy = "Leave the line out where it is no row, such as a note below the table."
    return Fault(row, None, f"{what} {remedy}")


def as_missing(texts: Iterable[str], options: ReadOptions, way: str = "mean") -> str:
    """Return what a sender adds to a query so that texts stand for missing values."""
    named = [f"missing_values={_in_words(text)}" for text in texts]
    return "&".join([*named, f"missing={way}"] if options.refuses_missing and named else named)


def _in_words(text: str) -> str:
    """Return a text as it stands in a query; a point at its end would look like that of the sentence."""
    return quote(text) if not text.endswith(".") else f"{quote(text[:-1])}%2E"


def no_value(row: int, column: int, type: str, text: str, dialect: Dialect) -> Fault:
    """Return the fault of a value that is none of Arrow's `type`, with the remedy."""
    value, name = text[:SHOWN], dialect.names[column]
    if type == "null":
        remedy = "name all columns with columns="
        return Fault(row, column, f"holds {value!r}, but the header has no name for it: {remedy}.")
    if type == "double" and (number := advice_on(text, name, dialect.options.decimal)):
        return Fault(row, column, f"holds {value!r}, {number}")
    is_mark = value and not is_time(text)
    missing = f"If it stands for a missing value, use {as_missing([value], dialect.options)}." if is_mark else ""
    advice = f"{missing} {_other_type(text, name, dialect)}"
    if type == "double" and (form := form_of(text)) and form.remedy:
        return Fault(row, column, f"holds {value!r}, {form.what}: {form.remedy}. {advice.strip()}")
    return Fault(row, column, f"holds {value!r}, which is {_EXPECTED[type]}. {advice.strip()}")


def _other_type(text: str, name: str, dialect: Dialect) -> str:
    """Return the remedy of another type; a caller that knows the kind takes no other, but a date may be a number."""
    if name not in dialect.options.expected:
        return f"If it is to hold texts, set its type: types={in_query(name)}:categorical."
    is_date = is_time(text) and dialect.options.expected[name] == "numeric"
    return f"types={in_query(name)}:date reads dates as days since 1970-01-01." if is_date else ""
