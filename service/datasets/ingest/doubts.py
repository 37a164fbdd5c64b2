"""Doubts about values that can be read, and that few people would learn from as they stand."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import numpy as np

from service.datasets.columns import SHOWN, ColumnSummary, in_query
from service.datasets.formats.numbers_in_texts import found_among, without_unseen
from service.datasets.ingest.describe import STRETCH, SpooledColumn
from service.datasets.ingest.fill import Ingested
from service.datasets.ingest.spool import Spool
from service.http.json_numbers import Array
from service.learning.planning.advice import Advice
from service.pointers import escape

Summaries = Mapping[str, ColumnSummary]

FEWEST = 20
"""Rows that have a value of their own each by no accident."""
FAR = 3.0
"""Times the range of all other values by which one that stands for a missing value lies beyond them."""
HUGE = 1e20
"""Numbers from here on fill the gaps of grids."""
_MARKS = {float(sign * (10**digits - 1)) for sign in (1, -1) for digits in range(2, 10)}
_MARKS |= {float(end) for bits in (15, 31) for end in (-(1 << bits), (1 << bits) - 1)}
"""99, 999, ..., and the ends of whole numbers of 16 and 32 bits: people and programs write them for missing values."""
_ID = re.compile(
    r"(?:.*[ _.-])?(?:id|uuid|guid|row_?id|row_?num(?:ber)?)|id[ _.-].*|index|idx|nr\.?|no\.?|#", re.IGNORECASE
)
_CAMEL = re.compile(r".*[a-z0-9]I[dD]")
_TOTAL = re.compile(
    r"(?:(?:grand|overall|sub|sous|zwischen)[ -]?)?(?:totals?|totale|total g[eé]n[eé]ral|sum|gesamt|insgesamt|summe"
    r"|gesamtsumme|somme|suma|averages?|mean|mittelwert|durchschnitt|moyenne|media|promedio)\s*:?",
    re.IGNORECASE,
)
MOST_TOLD = 3
"""Pairs of categories that a message names."""
NEAR = 1e-4
"""Share of a sum by which rounded numbers may differ from it."""


def doubts(ingested: Ingested, summaries: Summaries) -> list[Advice]:
    """Return advice on columns and rows that are something else than they seem to; `summaries` are those of columns, by
    name.
    """
    columns, spool = [*ingested.features, *ingested.targets], ingested.spool
    if not spool.rows:
        return []
    found = [each for column in columns for each in _of_column(column, spool, summaries[column.name])]
    ids = [each for each in ingested.features if _tells_rows_apart(each, spool, summaries[each.name])]
    if len(ids) < len(ingested.features):
        found += [_advice("column_of_ids", each.name, _IDS) for each in ids]
    return [*found, *_totals(columns, ingested, summaries)]


def _of_column(column: SpooledColumn, spool: Spool, summary: ColumnSummary) -> Iterator[Advice]:
    if column.categories is not None:
        yield from _alike(column.name, column.categories)
        return
    if column.kind != "numeric" or column.dates is not None:
        return
    for mark in set(_ends(summary)):
        if mark in _MARKS or abs(mark) >= HUGE:
            yield from _mark(column, spool, mark)


def _ends(summary: ColumnSummary) -> Sequence[float]:
    """Return the least number and the greatest one of a column; none where it has no number."""
    present = [each for each in summary["parts"].values() if each["count"]]
    return (min(each["min"] for each in present), max(each["max"] for each in present)) if present else ()


def _alike(name: str, categories: list[str]) -> Iterator[Advice]:
    """Advise where categories differ in capitals, blanks and characters without a width alone."""
    spelt = defaultdict[str, list[str]](list)
    for each in categories:
        spelt[" ".join(without_unseen(each).casefold().split())].append(each[:SHOWN])
    twins = [each for word, each in spelt.items() if len(each) > 1 and sum(map(str.isalpha, word)) > 1]
    if twins:
        shown = "; ".join(" and ".join(map(repr, each[:2])) for each in twins[:MOST_TOLD])
        yield _advice("alike_categories", name, _ALIKE, shown=shown)


def _mark(column: SpooledColumn, spool: Spool, mark: float) -> Iterator[Advice]:
    """Advise where a number that occurs again lies far beyond all others."""
    count, least, most = 0, np.inf, -np.inf
    for _, values in _stretches(column, spool):
        others = values[(values != mark) & ~np.isnan(values)]
        count += int(np.count_nonzero(values == mark))
        if len(others):
            least, most = min(least, float(others.min())), max(most, float(others.max()))
    beyond = least - mark if mark < least else mark - most
    if count > 1 and most > least and beyond > FAR * (most - least):
        text = f"{mark:.0f}" if abs(mark) < HUGE else f"{float(str(np.dtype(spool.dtype).type(mark)))!r}"
        there = " (in all digits that it has there)" if abs(mark) >= HUGE else ""
        told = {
            "mark": text,
            "sent": quote(text),
            "there": there,
            "count": f"{count:,}",
            "others": f"{least:.6g} to {most:.6g}",
        }
        yield _advice("perhaps_missing", column.name, _PERHAPS, **told)


def _tells_rows_apart(column: SpooledColumn, spool: Spool, summary: ColumnSummary) -> bool:
    """Whether each row has a category of its own, or a whole number under the name of an id."""
    if spool.rows < FEWEST:
        return False
    if column.categories is not None:
        if len(column.categories) != spool.rows or found_among(column.categories) is not None:  # rather numbers
            return False
        counts = [each["categories"].values() for each in summary["parts"].values()]
        return all(sum(each) <= 1 for each in zip(*counts, strict=True))
    if column.kind != "numeric" or not (_ID.fullmatch(column.name) or _CAMEL.fullmatch(column.name)):
        return False
    if (ends := _ends(summary)) and ends[1] - ends[0] < spool.rows - 1:  # too few whole numbers for all rows
        return False
    values = spool.column(column.place, 0, min(spool.rows, STRETCH))
    return bool((values == np.floor(values)).all()) and len(np.unique(values)) == len(values)


def _totals(columns: list[SpooledColumn], ingested: Ingested, summaries: Summaries) -> Iterator[Advice]:
    """Advise where a row that is called a total, or a mean, is one of all others."""
    numbers = [each for each in columns if each.kind == "numeric" and each.dates is None]
    for column in columns:
        for code, category in enumerate(column.categories or ()):
            if not _TOTAL.fullmatch(category.strip()) or column.codes is None or code >= len(column.codes):
                continue
            rows = _rows_of(column, ingested.spool, code)
            if len(rows) == 1 and any(
                _adds_up(each, ingested.spool, rows[0], summaries[each.name]) for each in numbers
            ):
                number = (
                    rows[0] if ingested.numbers is None else int(ingested.numbers.column(0, rows[0], rows[0] + 1)[0])
                )
                yield _advice("row_of_totals", column.name, _TOTALS, row=f"{number}", called=repr(category[:SHOWN]))


def _rows_of(column: SpooledColumn, spool: Spool, code: int) -> list[int]:
    """Return the first two rows that have a category."""
    assert column.codes is not None
    (of_spool,) = np.flatnonzero(column.codes == code)
    found = list[int]()
    for start, values in _stretches(column, spool):
        there = np.flatnonzero(values == of_spool)
        found += (start + there[:2]).tolist()
        if len(found) > 1:
            break
    return found


def _adds_up(column: SpooledColumn, spool: Spool, row: int, summary: ColumnSummary) -> bool:
    """Whether a number is the sum, or the mean, of at least two others."""
    value = float(spool.column(column.place, row, row + 1)[0])
    parts = [each for each in summary["parts"].values() if each["count"]]
    count = sum(each["count"] for each in parts) - 1
    rest = sum(each["count"] * (each["mean"] or 0.0) for each in parts) - value
    return count > 1 and value != 0 and any(abs(value - each) <= NEAR * abs(value) for each in (rest, rest / count))


def _stretches(column: SpooledColumn, spool: Spool) -> Iterator[tuple[int, Array]]:
    for start in range(0, spool.rows, STRETCH):
        yield start, spool.column(column.place, start, min(start + STRETCH, spool.rows))


_ALIKE = (
    "Column {name!r} has categories that differ in capitals, blanks or characters that nobody sees: {shown}. Each is "
    "one of its own: write them alike where they mean the same."
)
_PERHAPS = (
    "Column {name!r} is {mark} in {count} rows, far from its other numbers, {others}. Where it stands for a missing "
    "value, send missing_values={sent}&missing=mean with a CSV{there}, and null in its place otherwise."
)
_IDS = (
    "Column {name!r} has a value of its own in each row, as ids have: what is learnt from it holds for no other row. "
    "Leave it out, in a file with ignore={query}."
)
_TOTALS = (
    "Row {row} is {called} in column {name!r}, and holds the sum or the mean of the others: it is learnt from as they "
    "are. Leave it out where it is no example."
)


def _advice(code: str, name: str, detail: str, **more: str) -> Advice:
    told = detail.format(name=name[:SHOWN], query=in_query(name), **more)
    return Advice(code, told, f"#/columns/{escape(name)}")
