"""Names of columns that are different texts, and have the same letters or even look the same."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import cached_property
from urllib.parse import quote

from service.datasets.columns import SHOWN
from service.learning.planning.advice import Advice
from service.learning.synonyms import listed
from service.pointers import escape

LISTED = 20
"""Columns that a message names."""
MOST_TOLD = 10
"""Columns that one piece of advice names."""


class Likeness:
    """The columns of a table by what their names look like."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def no_column(self, name: str) -> str:
        """Return the message that there is no such column, with the one that is rather meant."""
        missing = f"There is no column {name[:SHOWN]!r}; there are {listed(list(map(repr, self._names)), LISTED)}"
        near = self._by_letters.get(_letters(name), [])
        if same := [each for each in near if _look(each) == _look(name)]:
            return f"{missing}. One that looks like it has other characters: in a query it is {quote(same[0])}."
        return f"{missing}: did you mean {near[0]!r}?" if len(near) == 1 else f"{missing}."

    @cached_property
    def _by_letters(self) -> dict[str, list[str]]:
        found = defaultdict(list)
        for name in self._names:
            found[_letters(name)].append(name)
        return found


def advice_on_names(names: Sequence[str]) -> list[Advice]:
    """Return that columns have names which look the same, so that the sender tells them apart."""
    if all(map(str.isascii, names)):
        return []
    looks = defaultdict(list)
    for name in names:
        looks[_look(name)].append(name)
    twins = [name for alike in looks.values() for name in alike[1:]]
    if not twins:
        return []
    told = listed([f"{name!r}, in a query {quote(name)}" for name in twins], MOST_TOLD)
    detail = f"Names of columns look like those of others before them, and have other characters: {told}."
    return [Advice("alike_names", detail, f"#/columns/{escape(twins[0])}")]


def _look(name: str) -> str:
    """Return a name as it looks: in one form of Unicode, without characters that nobody sees."""
    seen = "".join(each for each in unicodedata.normalize("NFKC", name) if unicodedata.category(each) != "Cf")
    return " ".join(seen.split())


def _letters(name: str) -> str:
    """Return the letters and digits of a name in one case; of one that has none, all that is seen of it."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name))).casefold() or _look(name)
