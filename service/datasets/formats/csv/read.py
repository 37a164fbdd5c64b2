"""CSV: blocks of whole rows that threads parse, each by itself, while others are read and stored."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import pyarrow

from service import errors
from service.datasets.columns import Kind
from service.datasets.faults import MOST_OF_A_KIND
from service.datasets.formats.arrow.values import numbers_of, texts_of
from service.datasets.formats.checks import check_types
from service.datasets.formats.csv.blocks import QUOTE, Block, beginning, blocks
from service.datasets.formats.csv.dialect import Dialect, Lines, dialect_of
from service.datasets.formats.csv.doubts import doubts
from service.datasets.formats.csv.kinds import Columns, columns_of
from service.datasets.formats.csv.parse import Fault, parse
from service.datasets.formats.csv.salvage import no_date, salvaged
from service.datasets.formats.csv.text import text_of
from service.datasets.formats.dates import days_of, read_month_first
from service.datasets.table import Chunk, ReadOptions, Table, Texts, Values
from service.errors import Invalid, invalid
from service.learning.planning.advice import Advice
from service.pointers import escape

MOST_THREADS = 4
_TYPES: dict[Kind, pyarrow.DataType] = {
    "numeric": pyarrow.float64(),
    "boolean": pyarrow.bool_(),
    "categorical": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
}


def read_csv(pieces: Iterator[bytes], options: ReadOptions) -> Table:
    """Read a CSV text as a table.

    Raises:
        Invalid: it has no columns, or their kinds cannot be told.
    """
    text, complete = text_of(pieces, options), True
    if options.sample is not None:
        text, complete = beginning(text, options.sample)
    rest = blocks(text)
    dialect, first = dialect_of(next(rest), options)
    check_types(options.types, dialect.names, "query/types", options.note)
    check_types(options.dates, dialect.names, "query/types", options.note)
    check_types(options.ignored, dialect.names, "query/ignore", options.note)
    filled = filter(None, chain((first,), rest))
    first = next(filled, Block(b"", first.line))
    columns = _columns(first, dialect)
    chunks = _chunks(filter(None, chain((first,), filled)), dialect, columns)
    left = [dialect.names[place] for place in columns.gone if place != columns.spare]
    return Table(
        columns.kinds,
        chunks,
        advice=[*_advice(dialect, columns, options), *doubts(first, dialect, columns)],
        ignored=left,
        dates=columns.dates,
        complete=complete,
    )


def _columns(first: Block, dialect: Dialect) -> Columns:
    options = dialect.options
    types = {**options.expected, **options.types}
    prepared = dialect.prepared(first)
    lines = Lines(prepared, dialect.delimiter)
    ignored = [*options.ignored, *options.left_out(dialect.names)]
    try:
        columns = columns_of(prepared.data, dialect, types, ignored, {*options.named, *options.expected})
    except Fault as fault:
        _check_quotes(lines)
        (refused,) = _refusals([fault], dialect, lines.where, 0)
        raise refused from None
    for refused in _refusals(columns.suspect.values(), dialect, lines.where, 0):
        options.note(refused)
    return columns


def _advice(dialect: Dialect, columns: Columns, options: ReadOptions) -> list[Advice]:
    return [*map(read_month_first, columns.in_doubt), *_advice_on_names(dialect, columns, options)]


def _advice_on_names(dialect: Dialect, columns: Columns, options: ReadOptions) -> list[Advice]:
    names = dialect.columns
    if options.columns:
        return list(map(names.index_left_out, columns.index))
    ignored = [place for place, name in enumerate(dialect.names) if name in options.ignored]
    return [*map(names.index_left_out, columns.index), *names.advice([*columns.gone, *ignored])]


def _chunks(filled: Iterator[Block], dialect: Dialect, columns: Columns) -> Generator[Chunk]:
    threads = min(MOST_THREADS, pyarrow.cpu_count())
    waiting: deque[Future[tuple[Chunk, list[Fault]]]] = deque()
    rows = 0

    def oldest() -> Chunk:
        nonlocal rows
        chunk, faults = waiting.popleft().result()
        for refused in _refusals(faults, dialect, chunk.where, rows):
            dialect.options.note(refused)
        rows += chunk.rows
        return chunk

    with ThreadPoolExecutor(threads, "csv") as pool:
        for block in filled:
            waiting.append(pool.submit(_chunk, block, dialect, columns))
            if len(waiting) > threads:
                yield oldest()
        while waiting:
            yield oldest()


def _chunk(block: Block, dialect: Dialect, columns: Columns) -> tuple[Chunk, list[Fault]]:
    """Return the rows of a block, and their faults."""
    block = dialect.prepared(block)
    lines = Lines(block, dialect.delimiter)
    try:
        if columns.suspect:
            raise next(iter(columns.suspect.values()))
        values = _values(block, dialect, columns)
    except Fault as first:
        _check_quotes(lines)
        found = salvaged(block.data, dialect, columns)
        faults = [*found.rows, *found.values] or ([] if columns.suspect else [first])
        return Chunk(found.columns, lines.where, found.wrong), faults
    if block.last or any(map(_ends_with_lines, values.values())):
        _check_quotes(lines)
    return Chunk(values, lines.where), []


def _values(block: Block, dialect: Dialect, columns: Columns) -> dict[str, Values | Texts]:
    """Return the values of a block's columns.

    Raises:
        Fault: the first that pyarrow found.
    """
    types = [_TYPES[columns.kinds[name]] if name in columns.kinds else None for name in dialect.names]
    for name in columns.months_first:
        types[dialect.names.index(name)] = pyarrow.string()
    if columns.spare is not None:
        types[columns.spare] = pyarrow.null()  # a value there is a fault
    arrays = parse(block.data, dialect, types)
    arrays = [_dates(name, each, dialect, columns) for name, each in zip(columns.kinds, arrays, strict=False)]
    return {
        name: texts_of(array) if kind == "categorical" else numbers_of(array)
        for (name, kind), array in zip(columns.kinds.items(), arrays, strict=False)
    }


def _dates(name: str, array: pyarrow.Array, dialect: Dialect, columns: Columns) -> pyarrow.Array:
    """Return days in place of dates, and any other column as it is."""
    if name not in columns.months_first:
        return array
    days, wrong = days_of(array, months_first=columns.months_first[name] is not False)
    if wrong is not None:
        raise no_date(wrong, dialect.names.index(name), array[wrong].as_py())
    return days


def _ends_with_lines(values: Values | Texts) -> bool:
    """Whether the last text runs on over a line's end, as happens where its quote is not closed."""
    if not isinstance(values, Texts) or values.codes[-1] < 0:
        return False
    return not {"\n", "\r"}.isdisjoint(values.categories[values.codes[-1]])


def _check_quotes(lines: Lines) -> None:
    """Raise Invalid where a quote is never closed: pyarrow takes the end of the text for its end."""
    if lines.block.data.count(QUOTE) % 2 and (where := lines.open_quote):
        raise invalid("#", f"{where} has a quote that is never closed.", "malformed")


def _refusals(faults: Iterable[Fault], dialect: Dialect, where: Callable[[int], str], rows: int) -> list[Invalid]:
    """Return faults of rows and faults of values of one chunk in the terms of the text; `rows` are those before it."""
    kinds: dict[str, list[errors.Fault]] = {}
    for fault in faults:
        kinds.setdefault("malformed" if fault.column is None else "invalid", []).append(
            _told(fault, dialect, where, rows)
        )
    return [Invalid(told[0].detail, code, tuple(told[:MOST_OF_A_KIND])) for code, told in kinds.items()]


def _told(fault: Fault, dialect: Dialect, where: Callable[[int], str], rows: int) -> errors.Fault:
    if fault.column is None:
        return errors.Fault("#", f"{where(fault.row)} {fault.what}")
    name = dialect.names[fault.column]
    detail = f"{where(fault.row)}: column {name!r} {fault.what}"
    return errors.Fault(f"#/columns/{escape(name)}/{rows + fault.row}", detail)
