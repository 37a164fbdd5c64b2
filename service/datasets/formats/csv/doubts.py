"""Doubts about a CSV text that can be read, by its beginning: a line of names that looks like a row, and numbers that
may be codes, or be written in another way.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from service.datasets.columns import SHOWN, Kind, with_type
from service.datasets.formats.csv.blocks import Block
from service.datasets.formats.csv.delimiters import first_rows, sample_of
from service.datasets.formats.csv.dialect import Dialect
from service.datasets.formats.csv.kinds import Columns
from service.datasets.formats.dates import in_far_years
from service.learning.planning.advice import Advice
from service.pointers import escape

MOST_ROWS = 1000
"""Rows that are looked at."""
ALIKE = 0.8
"""Share of the numbers in a header that are like those below them, from where the header is a row by all appearance."""
MANY = 5
"""Numbers that go up by no accident."""
FEWEST = 3
"""Numbers in a column that are in groups of three digits by no accident."""
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_SHORT = re.compile(r"[-+]?(?:0|[1-9]\d{0,2})", re.ASCII)
_CODE = re.compile(r"0\d{2,}", re.ASCII)


def doubts(first: Block, dialect: Dialect, columns: Columns) -> list[Advice]:
    """Return advice on the text that begins with `first`."""
    sample = dialect.prepared(replace(first, data=sample_of(first).encode()))
    rows = first_rows(sample_of(sample), dialect.delimiter, MOST_ROWS)
    options, names = dialect.options, dialect.names
    if options.expected or not rows or any(len(row) != len(names) for row in rows):
        return []
    values = {
        name: [text for row in rows if (text := row[place].strip())]
        for place, name in enumerate(names)
        if name in columns.kinds
    }
    found = list(_in_header(dialect, columns.kinds, values)) if dialect.header and not options.columns else []
    numbers = {
        name: texts
        for name, texts in values.items()
        if columns.kinds[name] == "numeric" and name not in columns.dates and name not in columns.suspect
    }
    may_group = options.decimal == "." and not any(map(_is_decimal, chain(*numbers.values())))
    for name, texts in values.items():
        if name in columns.dates:
            found += in_far_years(name, texts, months_first=columns.months_first.get(name) is not False)
        elif name in numbers and name not in options.types:
            found += [*_codes(name, texts), *(_thousands(name, texts, dialect.delimiter) if may_group else ())]
    return found


def _in_header(dialect: Dialect, kinds: dict[str, Kind], values: dict[str, list[str]]) -> Iterator[Advice]:
    """Advise where names look like values of their columns."""
    written = {name: dialect.columns.repeated.get(place, name) for place, name in enumerate(dialect.names)}
    numbers = {name: float(written[name]) for name in values if _NUMBER.fullmatch(written[name])}
    near = sum(_is_among(number, values[name]) for name, number in numbers.items())
    of_numbers = 2 * len(numbers) > len(values) and not _count(list(numbers.values())) and near >= ALIKE * len(numbers)
    texts = [name for name in values if kinds[name] == "categorical" and len(set(values[name])) > 1]
    known = sum(name in values[name] for name in texts)
    of_words = (
        known > 0
        and 2 * known >= len(texts)
        and all(kinds[name] == "categorical" or name in numbers for name in values)
    )
    if of_numbers or of_words:
        detail = f"The first line, {', '.join(written.values())[:SHOWN]!r}, names the columns, and looks like a row"
        remedy = "if it is one, header=false reads it so, and columns= gives names; if it stands again among the rows"
        yield Advice("header_is_a_row", f"{detail}: {remedy}, leave it out there.", "query/header")


def _count(numbers: Sequence[float]) -> bool:
    """Whether numbers go up by 1, as those of columns, and years, do; or many do so by any step, as wavelengths."""
    steps = [after - before for before, after in pairwise(numbers)]
    return all(step == 1 for step in steps) or (len(numbers) >= MANY and all(step > 0 for step in steps))


def _is_among(number: float, texts: Collection[str]) -> bool:
    """Whether a number is as near to those of a column as these are to each other."""
    others = [float(each) for each in texts if _NUMBER.fullmatch(each)]
    if not others:
        return False
    low, high = min(others), max(others)
    return low - (high - low) <= number <= high + (high - low)


def _codes(name: str, texts: Sequence[str]) -> Iterator[Advice]:
    """Advise where whole numbers begin with a 0 that is lost."""
    code = next(filter(_CODE.fullmatch, texts), None)
    if code is not None and all(each.isascii() and each.isdigit() for each in texts) and len(set(texts)) > 1:
        detail = f"Column {name[:SHOWN]!r} holds numbers such as {code[:SHOWN]}, which loses the 0 in front"
        remedy = f"where they are codes, {with_type(name, 'categorical')} keeps them as they are"
        yield Advice("leading_zeros", f"{detail}: {remedy}.", f"#/columns/{escape(name)}")


def _is_decimal(text: str) -> bool:
    """Whether a number has a point that separates no thousands."""
    return "." in text and _NUMBER.fullmatch(text) is not None and _GROUPED.fullmatch(text) is None


def _thousands(name: str, texts: Sequence[str], delimiter: str) -> Iterator[Advice]:
    """Advise where points may separate thousands: in each number with one, three digits follow it."""
    grouped = [each for each in texts if _GROUPED.fullmatch(each)]
    if len(set(grouped)) < FEWEST:
        return
    if not all(_GROUPED.fullmatch(each) or _SHORT.fullmatch(each) for each in texts):
        return
    # numbers of three decimals each would have a point, too
    is_mixed = len(grouped) < len(texts) and any(each.endswith("0") for each in grouped)
    if is_mixed or delimiter == ";":
        detail = f"Column {name[:SHOWN]!r} holds numbers such as {grouped[0]}, all with three digits behind the point"
        remedy = "where points separate thousands, use decimal=,&thousands=. in the query"
        yield Advice("perhaps_thousands", f"{detail}: {remedy}.", f"#/columns/{escape(name)}")
