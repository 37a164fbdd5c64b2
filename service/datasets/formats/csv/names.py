"""Names of the columns of a CSV text, also where the header leaves them out or repeats them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.datasets.formats.checks import SHOWN, check_count, check_names, in_query
from service.datasets.table import ReadOptions
from service.errors import invalid
from service.learning.planning.advice import Advice
from service.learning.synonyms import listed
from service.pointers import escape

MOST_TOLD = 10
"""Columns that one piece of advice lists."""
REMEDY = "Give other names: one columns= for each column."

_BREAKS = re.compile(r"[\r\n\t\v\f]+")


@dataclass(frozen=True)
class Names:
    """A name for each column of the text, and places of columns whose name is none that the header has."""

    all: list[str]
    unnamed: list[int] = field(default_factory=list)
    repeated: dict[int, str] = field(default_factory=dict)
    """The header's name of a column that another one before it has."""
    of_rows: bool = False
    """Whether the header has one name fewer than rows have values, as R leaves out that of their names."""

    def advice(self, gone: Sequence[int]) -> list[Advice]:
        """Return what the sender should know of the names, but for columns that are `gone`."""
        unnamed = [place for place in self.unnamed if place not in gone]
        repeated = [place for place in self.repeated if place not in gone]
        found = []
        if unnamed:
            told = listed([f"column {place + 1} is {self.all[place]!r}" for place in unnamed], MOST_TOLD)
            cause = "Names of the rows have none of their own" if self.of_rows and unnamed == [0] else "No name stands"
            where = "" if self.of_rows and unnamed == [0] else " in the header for every column"
            remedy = f"ignore={in_query(self.all[unnamed[0]])} leaves it out, columns= gives other names"
            found.append(Advice("unnamed_columns", f"{cause}{where}: {told}; {remedy}.", self._pointer(unnamed[0])))
        if repeated:
            former = self.repeated
            told = listed(
                [f"column {place + 1}, {former[place]!r}, is {self.all[place]!r}" for place in repeated], MOST_TOLD
            )
            detail = f"The header repeats names: {told}; columns= gives other ones."
            found.append(Advice("repeated_names", detail, self._pointer(repeated[0])))
        return found

    def index_left_out(self, place: int) -> Advice:
        """Return that this column counts rows, and is none of the data."""
        name, no_name = self.all[place], place in self.unnamed
        which = "The first column has no name and" if no_name else f"Column {name!r}, an index that pandas wrote,"
        kept = f"keeps it as {name!r}" if no_name else "keeps it"
        detail = f"{which} counts the rows, so it is left out; types={in_query(name)}:numeric {kept}."
        return Advice("index_left_out", detail, self._pointer(place))

    def _pointer(self, place: int) -> str:
        return f"#/columns/{escape(self.all[place])}"


def names_of(header: list[str], rows: Sequence[list[str]], options: ReadOptions, *, names_rows: bool) -> Names:
    """Return names of columns from the header, `rows` being the first that follow it.

    `names_rows` tells whether a value more than there are names can be the name of its row.

    Raises:
        Invalid: as many names cannot be, or one is no name.
    """
    check_count(len(header))
    header, of_rows = _as_wide_as_rows(header, rows, len(options.columns), names_rows=names_rows)
    if options.columns:
        given = _replaced(header, options.columns)
    else:
        given = [" ".join(map(str.strip, _BREAKS.split(name))).strip() for name in header]
    names = _unique(given, of_rows=of_rows)
    check_names(names.all, REMEDY)
    return names


def numbered(first: list[str], options: ReadOptions) -> Names:
    """Return names of columns where the text has none: those that are given, else c0, c1, ...

    Raises:
        Invalid: there are not as many as the first row has values.
    """
    check_count(len(first))
    if options.columns and len(options.columns) != len(first):
        detail = f"{len(options.columns)} names are given, but the first row has {len(first)} values."
        raise invalid("query/columns", detail)
    names = options.columns or [f"c{index}" for index in range(len(first))]
    check_names(names)
    return Names(names)


def _as_wide_as_rows(
    header: list[str], rows: Sequence[list[str]], wanted: int, *, names_rows: bool
) -> tuple[list[str], bool]:
    """Return the header with a name for each value of a row, and whether one was lacking for the rows' own names."""
    widths = {len(row) for row in rows}
    if widths == {len(header) - 1} and not header[-1].strip():
        return header[:-1], False
    if widths == {len(header) + 1}:
        if not any(row[-1].strip() for row in rows):
            return [*header, ""], False
        if names_rows:
            return ["", *header], True
    if wanted and widths == {wanted}:  # they replace a header that is wrong
        return [""] * wanted, False
    return header, False


def _replaced(header: list[str], columns: list[str]) -> list[str]:
    check_names(columns)
    if len(columns) == len(header) - 1 and not header[-1].strip():
        return [*columns, ""]
    if len(columns) != len(header):
        detail = f"{len(columns)} names are given, but there are {len(header)} columns."
        raise invalid("query/columns", detail)
    return columns


def _unique(header: list[str], *, of_rows: bool) -> Names:
    taken, seen = set(header), set[str]()
    counts: dict[str, int] = {}

    def free(name: str) -> str:
        while (other := f"{name}_{counts.setdefault(name, 2)}") in taken:
            counts[name] += 1
        return other

    names = Names([], of_rows=of_rows)
    for place, text in enumerate(header):
        name = text or f"column_{place + 1}"
        if not text:
            names.unnamed.append(place)
        elif text in seen:
            names.repeated[place] = text[:SHOWN]
        if text in seen or (not text and name in taken):
            name = free(name)
        taken.add(name)
        seen.add(name)
        names.all.append(name)
    return names
