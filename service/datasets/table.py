"""The table that readers of bodies return and the store takes: typed columns, in chunks of rows."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from service.datasets.columns import DateOrder, Kind
from service.datasets.faults import Note, refuse
from service.learning.planning.advice import Advice

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Texts:
    """A categorical column's values, as codes (rows) into this chunk's own `categories`; -1: missing."""

    codes: NDArray[np.int32]
    categories: list[str]


def category_of(value: float | Decimal | np.generic) -> str:
    """The name of the category that a number or a boolean is, the same in whatever form it came.

    `true` or `false`; a whole number by all its digits; another by the fewest that identify it in its own dtype.
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, int | np.integer):
        return str(value)
    if isfinite(value) and value == int(value):
        return str(int(value))
    return str(float(value) if isinstance(value, Decimal) else value)


@dataclass(frozen=True)
class Chunk:
    """Some rows that follow each other. `columns` has the table's names in the table's order.

    Numeric and boolean columns are float64 (rows), NaN where a value is missing; numbers may be infinite.
    """

    columns: Mapping[str, Values | Texts]
    where: Callable[[int], str]
    """The name by which the sender finds a row of this chunk, the first being 0: "Line 17" or "Row 16"."""
    wrong: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """Rows of columns whose values are none of their kind, and have been noted as faults: numbers are missing there."""

    @property
    def rows(self) -> int:
        first = next(iter(self.columns.values()))
        return len(first.codes if isinstance(first, Texts) else first)


@dataclass(frozen=True)
class Table:
    """Columns by name, in the order of the data. Read `chunks` once, and close it where you stop early."""

    kinds: Mapping[str, Kind]
    chunks: Generator[Chunk]
    """Chunks, none of them empty. Faults of the data are raised while they are read, as `Invalid`."""
    groups: Mapping[str, list[str]] = field(default_factory=dict)
    """Names that stand for several columns at once: that of an array in two dimensions, for its columns."""
    advice: list[Advice] = field(default_factory=list)
    """Advice to the sender on the way that the body was read."""
    ignored: list[str] = field(default_factory=list)
    """Columns of the body that are left out."""
    dates: Mapping[str, DateOrder] = field(default_factory=dict)
    """Columns of dates, as days."""
    told: Collection[str] = ()
    """Columns whose kinds the sender has set."""
    complete: bool = True
    """Whether the chunks have all rows of the body, and not those of its beginning alone."""


@dataclass(frozen=True)
class ReadOptions:
    """The sender's description of a body, beside its media type."""

    limit: int
    """Bytes that a body may have once it is decompressed."""
    types: Mapping[str, Kind] = field(default_factory=dict)
    """Kinds of columns that are not to be guessed."""
    delimiter: str | None = None
    """The character between the values of a CSV row, or `whitespace`; None: guessed."""
    header: bool = True
    """Whether the first row of a CSV text has the names."""
    columns: list[str] = field(default_factory=list)
    """Names in place of those in the header; without a header, default: c0, c1, ..."""
    ignored: Collection[str] = ()
    """Columns that are left out, whatever they hold."""
    named: Collection[str] = ()
    """Columns that the sender speaks of: none is left out unasked."""
    missing_values: Sequence[str] = ()
    """Texts in CSV that stand for missing values, beside the usual ones."""
    encoding: str | None = None
    """Of CSV; None: UTF-8, or UTF-16 by its mark."""
    skip: int = 0
    """Lines of CSV above the header."""
    comment: str | None = None
    """The beginning of lines of CSV that are none of the table."""
    dates: Collection[str] = ()
    """Columns of CSV that hold dates, and become days."""
    decimal: str = "."
    thousands: str | None = None
    refuses_missing: bool = False
    """Whether missing values are refused, as the request has no rule for them."""
    fewest: int = 2
    """The least number of columns: a dataset has one to learn from and one to learn."""
    expected: Mapping[str, Kind] = field(default_factory=dict)
    """Kinds of columns that a CSV may have, where the caller knows them already."""
    known_dates: Mapping[str, DateOrder] = field(default_factory=dict)
    """Columns that hold days to the caller: where they begin with a date, they are read as dates."""
    sample: int | None = None
    """Bytes of CSV after which no more rows are read; None: all are."""
    note: Note = refuse
    """Called with faults of the body after which reading can go on; without it they are raised."""
    left_out: Callable[[Sequence[str]], Collection[str]] = lambda _: ()
    """The columns of a CSV, of all its names, that are left out as well; it may refuse names."""
