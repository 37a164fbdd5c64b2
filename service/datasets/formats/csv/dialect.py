"""The dialect of a CSV text: its delimiter, and the names of its columns."""

import csv
import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from urllib.parse import quote

from service.datasets.formats.csv.blanks import divided, stripped, without_quoted_blanks
from service.datasets.formats.csv.blocks import QUOTE, Block
from service.datasets.formats.csv.delimiters import (
    DELIMITERS,
    POSSIBLE,
    ROWS,
    SAMPLE,
    WHITESPACE,
    check_runs,
    delimiter_of,
    dividing,
    first_rows,
    rows_in,
    sample_of,
)
from service.datasets.formats.csv.names import names_of, numbered
from service.datasets.formats.names import Names
from service.datasets.table import ReadOptions
from service.errors import invalid

_EMPTY_LINES = re.compile(rb"(?: *[\r\n])*")
BEHIND = "behind"
"""A row that is put behind a text: within quotes that are still open it does not count as one."""
_EXCEL = re.compile(rb'"?sep=([^"\r\n\x80-\xff])"?[ \t]*(?:\r\n|\n|\r)', re.IGNORECASE)
"""The line in which Excel names the delimiter."""
GROUPS = ",.' _\u00a0\u2019\u202f"
"""Characters that may separate thousands."""
_WINDOWS = re.compile(rb"(?<![\x80-\xff])[\x80-\x9f](?![\x80-\xff])")
"""A character of Western Windows, such as a curly quote or the sign of the Euro, that Latin-1 does not have."""


@dataclass(frozen=True)
class Dialect:
    delimiter: str
    columns: Names
    header: bool
    options: ReadOptions
    by_blanks: bool = False
    """Whether runs of blanks divide values; they are made one `delimiter` each."""
    preamble: int | None = None
    """Lines that seem to stand above the header."""
    above: int = 0
    """Lines up to the first row."""

    def prepared(self, block: Block) -> Block:
        """Return the same rows as they are parsed: without blanks around values."""
        data = divided(block.data) if self.by_blanks else stripped(block.data, self.delimiter)
        data = without_quoted_blanks(data, self.delimiter)
        return block if data is block.data else replace(block, data=data)

    @property
    def names(self) -> list[str]:
        return self.columns.all

    @property
    def width(self) -> str:
        """The number of values that a row must have, in words."""
        said = f"{'the header names' if self.header else 'there are'} {len(self.names)} columns"
        if self.preamble is None:
            return f"{said}."
        named = " Where rows begin with a name of their own, name all columns: columns= for each."
        return f"{said}. {_above(self.preamble)}{named if len(self.names) > 1 else ''}"


def not_utf8(raw: bytes = b"") -> str:
    """Return what is wrong with these bytes."""
    encoding = "cp1252" if _WINDOWS.search(raw) else "latin-1"
    return f"not UTF-8. Name its encoding, such as encoding={encoding}, or charset={encoding} in Content-Type."


def _above(lines: int) -> str:
    return f"Leave lines above the header out: skip={lines}, or comment=%23 if they begin with #."


@dataclass(frozen=True)
class Lines:
    """A finder of a block's rows in the text. Python reads it again, at leisure: this is for messages about faults."""

    block: Block
    delimiter: str

    def where(self, row: int) -> str:
        return f"Line {self._numbers[min(row, len(self._numbers) - 1)]}"

    @property
    def open_quote(self) -> str | None:
        """The line of a quote that the block does not close; None where there is none."""
        rows = rows_in(f"{self._text}{self.block.newline.decode()}{BEHIND}", self.delimiter)
        row: list[str] = []
        try:
            for row in rows:  # noqa: B007 - the last one tells
                pass
        except csv.Error:  # a value too long for Python: the quote has taken in much
            return f"Line {self._numbers[-1]}"
        if row == [BEHIND]:
            return None
        return f"Line {self.block.line + rows.line_num - 1 - row[-1].count(self.block.newline.decode())}"

    @property
    def _text(self) -> str:
        return self.block.data.decode(errors="replace")

    @cached_property
    def _numbers(self) -> list[int]:
        """The line of each row: an empty line holds none, and one within quotes belongs to the row around it. The last
        is that of a value too long for Python, if there is one.
        """
        rows = rows_in(self._text, self.delimiter)
        numbers = []
        try:
            while True:
                numbers.append(self.block.line + rows.line_num)
                if not next(rows):
                    numbers.pop()
        except (StopIteration, csv.Error) as end:
            return numbers[:-1] if isinstance(end, StopIteration) else numbers


def dialect_of(first: Block, options: ReadOptions) -> tuple[Dialect, Block]:
    """Return the dialect of the text that begins with the block `first`, and that block's rows without the header.

    Raises:
        Invalid: no text in UTF-8, no names that columns can have, or fewer than two.
    """
    empty = _EMPTY_LINES.match(first.data)
    block = first.after(empty.end() if empty else 0)
    if named := _EXCEL.match(block.data):
        block = block.after(named.end())
    if not block:
        raise invalid("#", "The body is empty, and so not CSV: give a line for each row.", "empty")
    named_here = options.delimiter or (named[1].decode() if named else None)
    delimiter = delimiter_of(block, named_here, options)
    by_blanks = delimiter == WHITESPACE
    delimiter = "\t" if by_blanks else delimiter
    _check_marks(options, delimiter)
    if delimiter == " ":
        check_runs(block)
    end = _end_of_first_row(block)
    head = divided(block.data[:end]) if by_blanks else stripped(block.data[:end], delimiter)
    row = _first_row(head, delimiter, block)
    if len(row) < options.fewest:
        raise invalid("#", _one_column(row[0], block, is_divided=named_here is not None), "empty")
    if options.header and end == len(block.data) and not block.data.endswith((b"\n", b"\r")):
        hint = "curl's -d drops the ends of lines: send a file with --data-binary"
        raise invalid("#", f"The body has only a header line, and no rows. ({hint}.)", "empty")
    if not options.header:
        return Dialect(delimiter, numbered(row, options), False, options, by_blanks), block
    rest = block.after(end)
    sample = divided(sample_of(rest).encode()).decode() if by_blanks else sample_of(rest)
    rows = first_rows(sample, delimiter)
    names = names_of(row, rows, options, names_rows=_names_rows(sample, rows, delimiter, options))
    preamble = _preamble(sample_of(block), delimiter, block.line)
    return Dialect(delimiter, names, True, options, by_blanks, preamble, rest.line - 1), rest


def _one_column(name: str, block: Block, *, is_divided: bool) -> str:
    """Return the message about a text that is of one column by its delimiter, which the sender has named or not."""
    detail = f"There is one column, {name[:50]!r}: give at least two columns, or the delimiter between them."
    sample = sample_of(block)
    if name.startswith("#"):
        return f"{detail} Leave lines that begin with # out: comment=%23."
    if above := next(filter(None, (_preamble(sample, each, block.line) for each in DELIMITERS)), None):
        return f"{detail} {_above(above)}"
    if not is_divided and (possible := dividing(sample, POSSIBLE)):
        return f"{detail} If {possible!r} stands between values, use delimiter={quote(possible, safe=':/!*@$?_')}."
    lines = sample.splitlines()[:ROWS]
    if len(lines) > 1 and all(map(_SVMLIGHT.fullmatch, lines[1:])):
        return f"{detail} These are a label and index:value pairs, as svmlight has them: write a column for each index."
    is_even = " " in lines[0] and len({len(line.rstrip()) for line in lines}) == 1
    if len(lines) > 1 and (is_even or _RUN.search(sample)):
        return f"{detail} If values stand at fixed places of each line, write delimiters between them, as in CSV."
    return detail


_SVMLIGHT = re.compile(r"\S+(?: \S+:\S+)+ *(?:#.*)?")
_RUN = re.compile(r"\S  +\S")


NAME_OF_ROWS = "column_1"
"""The name of a first column without a name."""


def _names_rows(sample: str, rows: list[list[str]], delimiter: str, options: ReadOptions) -> bool:
    """Whether the first value of a row can be its name, which R writes without one of its own in the header.

    Where columns are known, it is if it counts the rows, or if such a column is left out.
    """
    if options.expected and options.left_out([NAME_OF_ROWS]):
        return True
    counts = [row[0].strip() for row in rows] in (
        [str(start + place) for place in range(len(rows))] for start in (0, 1)
    )
    if options.expected and not counts:
        return False
    if delimiter != "," or sample.startswith('"'):
        return True
    are_many, in_words = len(rows) >= MANY_ROWS, not all(row and _is_whole(row[0]) for row in rows)
    are_named = in_words or (counts and are_many)
    values = [[value.strip() for value in (row[1:] if are_named else row)] for row in rows]
    halves = [list(zip(*pair, strict=True)) for pair in pairwise(zip(*values, strict=False))]
    if any(_are_decimals(each) and any(_ZERO.match(second) for _, second in each) for each in halves):
        return False
    if in_words and not are_many:
        return True
    if any(map(_are_thousands, halves)):
        return False
    # a decimal point beside the commas: none of these is a decimal one
    if any(_WITH_POINT.fullmatch(value.strip()) for row in rows for value in row[1:]):
        return True
    return are_named and not any(map(_are_decimals, halves))


def _are_thousands(halves: list[tuple[str, str]]) -> bool:
    """Whether two neighbours in every row can be the halves of a number whose thousands a comma separates."""
    return all(_THOUSANDS.fullmatch(f"{first},{second}") for first, second in halves)


def _are_decimals(halves: list[tuple[str, str]]) -> bool:
    """Whether they can be those of a number with a decimal comma: of as many places in each row, of no more than it
    needs, or of a 0 that no whole number begins with.
    """
    if not all(_is_whole(first) and second.isdigit() for first, second in halves):
        return False
    fractions = [second for _, second in halves]
    if len(set(map(len, fractions))) == 1 or any(map(_ZERO.match, fractions)):
        return True
    return all(len(each) == 1 or each[-1] != "0" for each in fractions)


_ZERO = re.compile(r"0\d")
_THOUSANDS = re.compile(r"[-+]?\d{1,3},\d{3}(?:\.\d*)?")
_WITH_POINT = re.compile(r"[-+]?\d*\.\d+(?:[eE][-+]?\d+)?")
MANY_ROWS = 10
"""Rows whose first values count them by no accident."""


def _is_whole(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _preamble(text: str, delimiter: str, line: int) -> int | None:
    """Return how many lines stand above those that have one width; None where all have, where a first one that is no
    comment has, or where all above are wider: lines of the table that others fall short of.
    """
    rows = rows_in(text, delimiter)
    try:
        widths = [(rows.line_num, len(row)) for row in islice(rows, ROWS) if row]
    except csv.Error:
        return None
    odd = [number for number, width in widths if width != widths[-1][1]]
    alike = [number for number, width in widths if not odd or number > odd[-1]]
    if all(width > widths[-1][1] for number, width in widths if odd and number <= odd[-1]):
        return None
    return line - 1 + odd[-1] if odd and len(alike) > 1 and (odd[0] == widths[0][0] or text.startswith("#")) else None


def _check_marks(options: ReadOptions, delimiter: str) -> None:
    if options.decimal not in (".", ","):
        raise invalid("query/decimal", "Numbers have a decimal point or comma: decimal=. or decimal=,.")
    if options.thousands is not None and options.thousands not in tuple(GROUPS):
        raise invalid("query/thousands", "Thousands are separated by a comma, a point, a blank, an apostrophe or _.")
    if options.decimal == options.thousands:
        raise invalid("query/thousands", "The same character cannot separate thousands and decimals.")


_NEWLINE = re.compile(rb"\r\n|\n|\r")


def _end_of_first_row(block: Block) -> int:
    """Return the end of the first row, also where it ends in another way than most rows do."""
    quotes = begin = 0
    for newline in _NEWLINE.finditer(block.data):
        quotes += block.data.count(QUOTE, begin, newline.end())
        if quotes % 2 == 0:
            return newline.end()
        begin = newline.end()
    return len(block.data)


def _first_row(data: bytes, delimiter: str, block: Block) -> list[str]:
    try:
        return next(rows_in(data.decode(), delimiter), [""])
    except UnicodeDecodeError:
        raise invalid("#", f"Line {block.line} is {not_utf8(block.data[:SAMPLE])}", "malformed") from None
    except csv.Error as error:
        raise invalid("#", f"Line {block.line} is not CSV: {error}.", "malformed") from None
