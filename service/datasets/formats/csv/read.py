"""CSV: blocks of whole rows that threads parse, each by itself, while others are read and stored."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain

import pyarrow

from service.datasets.columns import Kind
from service.datasets.formats.arrow.arrays import numbers_of, texts_of
from service.datasets.formats.checks import SHOWN, check_types
from service.datasets.formats.csv.blocks import QUOTE, Block, blocks
from service.datasets.formats.csv.dates import days_of
from service.datasets.formats.csv.dialect import Dialect, Lines, dialect_of
from service.datasets.formats.csv.kinds import Columns, columns_of
from service.datasets.formats.csv.parse import Fault, parse
from service.datasets.formats.csv.text import text_of
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
    rest = blocks(text_of(pieces, options))
    dialect, first = dialect_of(next(rest), options)
    check_types(options.types, dialect.names, "query/types")
    check_types(options.dates, dialect.names, "query/types")
    check_types(options.ignored, dialect.names, "query/ignore")
    types = {**options.expected, **options.types}
    filled = filter(None, chain((first,), rest))
    first = next(filled, Block(b"", first.line))
    try:
        told = {*options.named, *options.expected}
        columns = columns_of(dialect.prepared(first).data, dialect, types, options.ignored, told)
    except Fault as fault:
        raise _refusal(fault, dialect, first, 0) from None
    chunks = _chunks(filter(None, chain((first,), filled)), dialect, columns)
    left = [dialect.names[place] for place in columns.gone if place != columns.spare]
    return Table(columns.kinds, chunks, advice=_advice(dialect, columns, options), ignored=left)


def _advice(dialect: Dialect, columns: Columns, options: ReadOptions) -> list[Advice]:
    doubtful = [
        Advice(
            "months_first",
            f"Column {name!r} holds dates such as 1/2/2020, read month first: if the day is first, write 2020-02-01.",
            f"#/columns/{escape(name)}",
        )
        for name in columns.in_doubt
    ]
    return [*doubtful, *_advice_on_names(dialect, columns, options)]


def _advice_on_names(dialect: Dialect, columns: Columns, options: ReadOptions) -> list[Advice]:
    names = dialect.columns
    if options.columns:
        return [names.index_left_out()] if columns.index is not None else []
    ignored = [place for place, name in enumerate(dialect.names) if name in options.ignored]
    index = [] if columns.index is None else [names.index_left_out()]
    return [*index, *names.advice([*columns.gone, *ignored])]


def _chunks(filled: Iterator[Block], dialect: Dialect, columns: Columns) -> Generator[Chunk]:
    threads = min(MOST_THREADS, pyarrow.cpu_count())
    waiting: deque[tuple[Block, Future[Chunk]]] = deque()
    rows = 0

    def oldest() -> Chunk:
        block, chunk = waiting.popleft()
        try:
            return chunk.result()
        except Fault as fault:
            raise _refusal(fault, dialect, block, rows) from None

    with ThreadPoolExecutor(threads, "csv") as pool:
        for block in filled:
            waiting.append((block, pool.submit(_chunk, block, dialect, columns)))
            if len(waiting) > threads:
                yield (chunk := oldest())
                rows += chunk.rows
        while waiting:
            yield (chunk := oldest())
            rows += chunk.rows


def _chunk(block: Block, dialect: Dialect, columns: Columns) -> Chunk:
    block = dialect.prepared(block)
    lines = Lines(block, dialect.delimiter)
    types = [_TYPES[columns.kinds[name]] if name in columns.kinds else None for name in dialect.names]
    for name in columns.months_first:
        types[dialect.names.index(name)] = pyarrow.string()
    if columns.spare is not None:
        types[columns.spare] = pyarrow.null()  # a value there is a fault
    arrays = parse(block.data, dialect, types)
    arrays = [_dates(name, each, dialect, columns) for name, each in zip(columns.kinds, arrays, strict=False)]
    values = {
        name: texts_of(name, array) if kind == "categorical" else numbers_of(array)
        for (name, kind), array in zip(columns.kinds.items(), arrays, strict=False)
    }
    if block.last or any(map(_ends_with_lines, values.values())):
        _check_quotes(lines)
    return Chunk(values, lines.where)


def _dates(name: str, array: pyarrow.Array, dialect: Dialect, columns: Columns) -> pyarrow.Array:
    """Return days in place of dates, and any other column as it is."""
    if name not in columns.months_first:
        return array
    days, wrong = days_of(array, months_first=columns.months_first[name] is not False)
    if wrong is not None:
        detail = f"holds {array[wrong].as_py()[:SHOWN]!r}, which is no date."
        raise Fault(wrong, dialect.names.index(name), f"{detail} Write dates as in 2026-01-31.")
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


def _refusal(fault: Fault, dialect: Dialect, block: Block, rows: int) -> Invalid:
    """`fault` in the terms of the whole text; `rows` are those before the block.

    Raises:
        Invalid: it comes of a quote that is never closed.
    """
    lines = Lines(dialect.prepared(block), dialect.delimiter)
    _check_quotes(lines)
    where = lines.where(fault.row)
    if fault.column is None:
        return invalid("#", f"{where} {fault.what}", "malformed")
    name = dialect.names[fault.column]
    return invalid(f"#/columns/{escape(name)}/{rows + fault.row}", f"{where}: column {name!r} {fault.what}")
