"""Names of the columns of a body in any form, also where it leaves them out, repeats them or breaks their lines."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.datasets.columns import SHOWN, in_query
from service.learning.planning.advice import Advice
from service.learning.synonyms import listed
from service.pointers import escape

MOST_TOLD = 10
"""Columns that one piece of advice lists."""
_BREAKS = re.compile("[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+")


@dataclass(frozen=True)
class Names:
    """A name for each column of a body, and places of columns whose name is none that the body has."""

    all: list[str]
    unnamed: list[int] = field(default_factory=list)
    repeated: dict[int, str] = field(default_factory=dict)
    """The body's name of a column that another one before it has."""
    broken: list[int] = field(default_factory=list)
    """Places of names that had line breaks."""
    of_rows: bool = False
    """Whether the header has one name fewer than rows have values, as R leaves out that of their names."""
    has_header: bool = False
    """Whether the names stand in a header, which others in the request may replace."""

    def advice(self, gone: Sequence[int]) -> list[Advice]:
        """Return what the sender should know of the names, but for columns that are `gone`."""
        unnamed = [place for place in self.unnamed if place not in gone]
        repeated = [place for place in self.repeated if place not in gone]
        broken = [place for place in self.broken if place not in gone]
        found = []
        if unnamed:
            told = listed([f"column {place + 1} is {self.all[place]!r}" for place in unnamed], MOST_TOLD)
            where = "in the header for every column" if self.has_header else "in the body for every column"
            cause = f"No name stands {where}"
            if self.of_rows and unnamed == [0]:
                cause = "Names of the rows have none of their own"
            ignored = f"ignore={in_query(self.all[unnamed[0]])} leaves it out"
            detail = f"{cause}: {told}; {ignored}{', columns= gives other names' if self.has_header else ''}."
            found.append(Advice("unnamed_columns", detail, self._pointer(unnamed[0])))
        if repeated:
            former = self.repeated
            told = listed(
                [f"column {place + 1}, {former[place]!r}, is {self.all[place]!r}" for place in repeated], MOST_TOLD
            )
            what = f"The {'header' if self.has_header else 'body'} repeats names: {told}{self._otherwise}."
            found.append(Advice("repeated_names", what, self._pointer(repeated[0])))
        if broken:
            told = listed([repr(self.all[place]) for place in broken], MOST_TOLD)
            what = f"Line breaks in names are blanks here: {told}{self._otherwise}."
            found.append(Advice("line_breaks_in_names", what, self._pointer(broken[0])))
        return found

    def index_left_out(self, place: int) -> Advice:
        """Return that this column counts rows, and is none of the data."""
        name, no_name = self.all[place], place in self.unnamed
        which = "The first column has no name and" if no_name else f"Column {name!r}, an index that pandas wrote,"
        kept = f"keeps it as {name!r}" if no_name else "keeps it"
        detail = f"{which} counts the rows, so it is left out; types={in_query(name)}:numeric {kept}."
        return Advice("index_left_out", detail, self._pointer(place))

    @property
    def _otherwise(self) -> str:
        return "; columns= gives other ones" if self.has_header else ""

    def _pointer(self, place: int) -> str:
        return f"#/columns/{escape(self.all[place])}"


def names_of_columns(given: Sequence[str], *, of_rows: bool = False, has_header: bool = False) -> Names:
    """Return different names for columns: the `given` ones, as far as they can be names."""
    header = [_of_one_line(name) for name in given]
    taken, seen = set(header), set[str]()
    counts: dict[str, int] = {}

    def free(name: str) -> str:
        while (other := f"{name}_{counts.setdefault(name, 2)}") in taken:
            counts[name] += 1
        return other

    names = Names([], of_rows=of_rows, has_header=has_header)
    for place, text in enumerate(header):
        name = text or f"column_{place + 1}"
        if text and _BREAKS.search(given[place].strip()):
            names.broken.append(place)
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


def _of_one_line(name: str) -> str:
    """Return a name as it is, without lines; none where it is blank."""
    return " ".join(map(str.strip, _BREAKS.split(name))).strip() if _BREAKS.search(name) or name.isspace() else name
