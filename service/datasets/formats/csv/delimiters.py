"""The delimiter of a CSV text, named or guessed, and its rows as Python reads them."""

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING

from service.datasets.formats.csv.blanks import divided
from service.datasets.formats.csv.blocks import Block
from service.datasets.table import ReadOptions
from service.errors import invalid

if TYPE_CHECKING:
    import _csv

DELIMITERS = ",;\t|"
RARE_DELIMITERS = "^~\x01\x1f"
"""Guessed where no usual one divides; nobody writes them for anything else in every row."""
POSSIBLE = ":!#*@&%$/\\=?_+"
"""Delimiters that are named where they divide, and not guessed: dates, addresses and names hold them, too."""
SAMPLE = 1 << 16
"""Bytes from which the delimiter is guessed."""
ROWS = 20
_NUMERIC = "+-.,0123456789"
WHITESPACE = "whitespace"


def delimiter_of(block: Block, named: str | None, options: ReadOptions) -> str:
    """Return the delimiter that a text is said to have, or else the one that it seems to have.

    Raises:
        Invalid: what is named cannot be a delimiter.
    """
    if named is not None and named != WHITESPACE and (len(named) != 1 or not named.isascii() or named in '"\r\n\0'):
        detail = "A delimiter is whitespace, or one ASCII character, no quote and no end of a line."
        raise invalid("query/delimiter", detail)
    return named or _guess(block, options)


def check_runs(block: Block) -> None:
    """Raise Invalid where values stand between runs of blanks, each of which would divide them many times."""
    text = sample_of(block)
    rows = first_rows(text, " ")
    if len({len(row) for row in rows}) > 1 or not all(map(any, zip(*rows, strict=False))):
        by_runs = first_rows(divided(text.encode()).decode(), "\t")
        if _fitness(by_runs)[0] and rows != by_runs:
            detail = "Values stand between runs of blanks: delimiter=whitespace reads them."
            raise invalid("query/delimiter", detail)


def rows_in(text: str, delimiter: str) -> "_csv.Reader":
    """Return the rows of a text as Python reads them; the reader tells their lines, too."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != " ")


def _guess(block: Block, options: ReadOptions) -> str:
    """Return the delimiter that divides the first rows into the same number of values each, as many as possible; among
    such, the one that leaves more numbers whole, also such with a decimal comma. Runs of blanks, where nothing else
    divides.
    """
    text = sample_of(block)
    best = max(DELIMITERS, key=lambda delimiter: _fitness(first_rows(text, delimiter)))
    rows = first_rows(text, best)
    if not rows or len(rows[0]) > 1 or rows[0][0] in options.expected:
        return best
    if rare := dividing(text, RARE_DELIMITERS):
        return rare
    return WHITESPACE if _fitness(first_rows(divided(text.encode()).decode(), "\t"))[0] else best


def dividing(text: str, delimiters: str) -> str | None:
    """Return the one of `delimiters` that divides the first rows into the most values; None where none does."""
    fits, best = max((_fitness(first_rows(text, each)), each) for each in delimiters)
    return best if fits[0] else None


def sample_of(block: Block) -> str:
    """Return whole rows that the block begins with."""
    sample = block.data[:SAMPLE]
    if len(sample) < len(block.data):
        sample = sample[: sample.rfind(block.newline) + 1] or sample
    return sample.decode(errors="replace")


def first_rows(text: str, delimiter: str, most: int = ROWS) -> list[list[str]]:
    """Return the first rows of a text; none where Python cannot read them."""
    try:
        return [row for row in islice(rows_in(text, delimiter), most) if row]
    except csv.Error:
        return []


def _fitness(rows: list[list[str]]) -> tuple[bool, int, int]:
    if not rows:
        return False, 0, 0
    width = len(rows[0])
    widths = {len(row) for row in rows[1:]}
    numbers = sum(not value.strip(_NUMERIC) for row in rows for value in row)
    return width > 1 and widths in (set(), {width}, {width + 1}), width, numbers
