"""Checks on the columns of a table in any form."""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
from pydantic import TypeAdapter, ValidationError

from service.datasets.columns import (
    LONGEST_CATEGORY,
    LONGEST_NAME,
    MOST_ASKED_FOR,
    MOST_CATEGORIES,
    MOST_COLUMNS,
    MOST_TOGETHER,
    SHOWN,
    in_query,
    with_type,
)
from service.datasets.faults import Note, refuse
from service.datasets.formats.likeness import Likeness
from service.datasets.formats.numbers_in_texts import Found, found_among, is_one_of_texts
from service.datasets.formats.worded_dates import is_clock, is_time
from service.datasets.formats.worded_numbers import worded
from service.datasets.schemas import ColumnName
from service.datasets.table import Chunk, Texts, Values
from service.errors import Invalid, invalid
from service.pointers import escape

ROWS_OF_A_CHUNK = 1 << 16
VALUES_OF_A_CHUNK = 1 << 20

_COLUMN_NAME: TypeAdapter[str] = TypeAdapter(ColumnName)


def rows_of_a_chunk(columns: int) -> int:
    """Return a number of rows that makes a chunk neither long nor large."""
    return max(1, min(ROWS_OF_A_CHUNK, VALUES_OF_A_CHUNK // max(columns, 1)))


def check_count(columns: int) -> None:
    if not columns:
        raise invalid("#", "There are no columns.", "empty")
    if columns > MOST_COLUMNS:
        raise invalid("#", f"There are {columns:,} columns; at most {MOST_COLUMNS:,} are read.", "too_many_columns")


def check_names(names: Sequence[str], remedy: str = "") -> None:
    """Raise Invalid where a table cannot have these columns; `remedy` is what a sender of this form can do."""
    check_count(len(names))
    seen = set()
    for number, name in enumerate(names, 1):
        if name in seen:
            raise invalid("#", f"Columns need different names; {name[:SHOWN]!r} is there twice.", "duplicate_column")
        seen.add(name)
        try:
            _COLUMN_NAME.validate_python(name)
        except ValidationError:
            allowed = f"a name has 1 to {LONGEST_NAME} characters, none of them control."
            detail = f"Column {number} is named {name[:SHOWN]!r}; {allowed} {remedy}".rstrip()
            raise invalid("#", detail, "bad_column_name") from None


def check_types(
    types: Iterable[str], names: Mapping[str, object] | Sequence[str], pointer: str, note: Note = refuse
) -> None:
    """Note a fault where a type is set for a column that is not among `names`."""
    likeness = Likeness(names)
    for name in types:
        if name not in names:
            note(invalid(pointer, likeness.no_column(name), "unknown_column"))


def few_categories(chunks: Generator[Chunk], told: Collection[str], note: Note = refuse) -> Generator[Chunk]:
    """Yield the same chunks, as long as each column of texts has few different ones, or some more where the sender has
    `told` its kind, and none that is long or, unless it was told, begins with a date or a time. Others are noted, and
    all their values are wrong.
    """
    seen: dict[str, set[str]] = {}
    refused = set[str]()
    rows = 0
    with closing(chunks):
        for chunk in chunks:
            for name, texts in chunk.columns.items():
                if isinstance(texts, Texts) and name not in refused:
                    known = seen.setdefault(name, set())
                    begins = name not in told and not known
                    fault = begins and _fault_of_first(name, texts, chunk, rows)
                    fault = fault or _fault_of_categories(name, texts, known, chunk)
                    fault = fault or _fault_of_count(name, seen, told=name in told)
                    if fault:
                        note(fault)
                        refused.add(name)
                        known.clear()
            wrong = {name: np.ones(chunk.rows, bool) for name in refused}
            yield replace(chunk, wrong={**chunk.wrong, **wrong}) if wrong else chunk
            rows += chunk.rows


def _fault_of_first(name: str, texts: Texts, chunk: Chunk, rows: int) -> Invalid | None:
    """Return the fault where the first value of a chunk, which `rows` rows precede, is a date or a time."""
    row = int((texts.codes >= 0).argmax())
    first = texts.categories[texts.codes[row]] if texts.codes[row] >= 0 else ""
    number = None if is_time(first) else worded(first)
    if not (is_time(first) or number) or is_one_of_texts(first, texts.categories):
        return None
    if number:
        what = f"{chunk.where(row)}: column {name!r} holds {first[:SHOWN]!r}"
        remedy = f"or set its type to categorical: types={in_query(name)}:categorical, in JSON in `types`."
        return invalid(f"#/columns/{escape(name)}/{rows + row}", f"{what}, {number}, {remedy}")
    as_date = f"set its type to date for days since 1970-01-01 (types={in_query(name)}:date, in JSON in `types`), "
    left_out = f"leave the column out, in a file with ignore={in_query(name)}, "
    days = left_out if is_clock(first) else as_date + left_out
    detail = f"{chunk.where(row)}: column {name!r} {no_date(first, days)}"
    return invalid(f"#/columns/{escape(name)}/{rows + row}", detail)


def _fault_of_categories(name: str, texts: Texts, seen: set[str], chunk: Chunk) -> Invalid | None:
    for code, text in enumerate(texts.categories):
        if len(text) > LONGEST_CATEGORY:
            where = chunk.where(int((texts.codes == code).argmax()))
            return _no_category(name, f"{where}: column {name!r} holds a text of {len(text):,} characters, no category")
    seen.update(texts.categories)
    return None


def _fault_of_count(name: str, seen: Mapping[str, Collection[str]], *, told: bool) -> Invalid | None:
    """Return the fault where a column has too many of the texts `seen` in all columns."""
    texts = seen[name]
    if len(texts) <= MOST_CATEGORIES:
        return None
    if not told:
        what = f"Column {name!r} has more than {MOST_CATEGORIES} different texts, too many for categories"
        found = found_among(texts)
        kept = f"for an input, {with_type(name, 'categorical')} keeps up to {MOST_ASKED_FOR:,}"
        return _no_category(name, what if found is None else f"{what}, most of them {found.sentence}", found, kept)
    if len(texts) > MOST_ASKED_FOR:
        return _no_category(name, f"Column {name!r} has more than {MOST_ASKED_FOR:,} categories")
    together = sum(len(each) for each in seen.values() if len(each) > MOST_CATEGORIES)
    if together <= MOST_TOGETHER:
        return None
    what = f"Columns of more than {MOST_CATEGORIES} categories have more than {MOST_TOGETHER:,} together, with {name!r}"
    return _no_category(name, what)


def _no_category(name: str, what: str, found: Found | None = None, kept: str = "") -> Invalid:
    remedy = "" if found is None else f"{found.remedy(in_query(name))}; or "
    left_out = f"leave it out, in a file with ignore={in_query(name)}"
    more = f"; {kept}" if kept else ""
    detail = f"{what}: {remedy}{left_out}, or express it in numbers or in fewer, shorter texts{more}."
    return invalid(f"#/columns/{escape(name)}", detail, "too_many_categories")


def no_finite(name: str, values: Values | Texts, rows: Sequence[int], dtype: str) -> str:
    """Return the message about numbers in `rows` that are infinite, or so large that the dtype makes them so."""
    what = f"the number in column {name!r} is not finite in {dtype}"
    if not isinstance(values, Texts) and np.isfinite(values[rows]).all():
        return f"{what}: dtype float64 holds it."
    left_out = f"leave the column out, in a file with ignore={in_query(name)}"
    return f"{what}: {left_out}, or have it count as missing, in CSV with such as missing_values=inf."


def no_date(value: str, remedies: str = "") -> str:
    """Return the message about a column of dates or times, with the remedies that its form has beside those of all."""
    days = "give numbers, such as the days since some day"
    return f"holds {value[:SHOWN]!r}, a date or a time: {remedies}{days}, or set its type to categorical."


def as_dates(name: str, more: str = "") -> str:
    """Return the remedies for a column in a file that reads as dates, where the sender says `more`."""
    read = f"types={in_query(name)}:date{more and f'&{more}'} reads dates as days since 1970-01-01"
    return f"{read}, ignore={in_query(name)} leaves the column out; or "
