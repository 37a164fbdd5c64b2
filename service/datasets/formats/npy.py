"""npy: an array in a file that is mapped into memory. Objects, which would be pickles, are refused."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from tokenize import TokenError

import numpy as np
import pyarrow

from service.datasets.columns import Kind, unambiguous
from service.datasets.faults import Note
from service.datasets.formats.arrow.arrays import chunk_of, known_kinds, refusing
from service.datasets.formats.body import to_file
from service.datasets.formats.checks import check_count, check_names, check_types, rows_of_a_chunk
from service.datasets.formats.names import names_of_columns
from service.datasets.table import Chunk, ReadOptions, Table
from service.errors import Invalid, invalid
from service.http.json_numbers import Array
from service.learning.rows.memory_maps import drop_behind
from service.pointers import escape

FORM = "NumPy array"
MALFORMED = (
    *(ValueError, TypeError, KeyError, SyntaxError, TokenError),
    *(EOFError, OSError, OverflowError, RecursionError, MemoryError),
)
"""Errors of NumPy about bytes that are no npy: it parses a header as text."""


def read_npy(pieces: Iterator[bytes], options: ReadOptions, scratch: Path) -> Table:
    """Read an array as a table: of rows and columns, or of records with named fields.

    Raises:
        Invalid: it is no such array, or holds values that no network takes.
    """
    array = load(to_file(pieces, scratch / "body.npy"), "The body")
    columns = columns_of(array, "The body", "c")
    names = names_of_columns(list(columns))
    columns = dict(zip(names.all, columns.values(), strict=True))
    if options.columns:
        if array.dtype.names:
            raise invalid("query/columns", "The fields of the records have names already.")
        if len(options.columns) != len(columns):
            raise invalid("query/columns", f"{len(options.columns)} names are given for {len(columns)} columns.")
        columns = dict(zip(options.columns, columns.values(), strict=True))
    columns = without(columns, options.ignored, options.note)
    kinds = kinds_of(columns, options.types, options.dates, options.note)
    chunks = chunks_of([array], columns, kinds, options.dates, options.note)
    advice = names.advice([place for place, name in enumerate(names.all) if name in options.ignored])
    return Table(kinds, chunks, advice=advice, dates=unambiguous(options.dates))


def load(file: Path, what: str) -> Array:
    """Return the array of an npy file, as a memory map; the file is nameless from now on. `what` names it in errors."""
    try:
        array: Array = np.lib.format.open_memmap(file, mode="r")
    except MALFORMED as error:
        raise invalid("#", f"{what} is no {FORM} that can be read: {str(error)[:200]}", "malformed") from None
    file.unlink()
    return array


def columns_of(array: Array, what: str, prefix: str) -> dict[str, Array]:
    """The columns of an array of rows: its second dimension, called `prefix` and a number, or its fields by name."""
    fields = array.dtype.names
    if array.ndim != 2 - bool(fields):
        raise invalid("#", f"{what} has {array.ndim} dimensions: give rows and columns, or records.", "bad_shape")
    if fields:
        return {name: array[name] for name in fields}
    check_count(array.shape[1])
    return {f"{prefix}{index}": column for index, column in enumerate(array.T)}


def without(columns: Mapping[str, Array], ignored: Collection[str], note: Note) -> dict[str, Array]:
    """Return the columns that are not ignored; a column to ignore that is not there is noted."""
    check_types(ignored, columns, "query/ignore", note)
    return {name: values for name, values in columns.items() if name not in ignored}


def kinds_of(
    columns: Mapping[str, Array], types: Mapping[str, Kind], dates: Collection[str], note: Note
) -> dict[str, Kind]:
    """Return the kind of each column, of `types` or by NumPy's type.

    Raises:
        Invalid: it holds values that no network takes, or columns cannot have such names.
    """
    check_names(list(columns))
    check_types([*types, *dates], columns, "query/types", note)
    held = dict[str, pyarrow.DataType]()
    for name, values in columns.items():
        try:
            held[name] = _type(name, values)
        except Invalid as refused:
            note(refused)
    return known_kinds(held, types, dates, note)


def chunks_of(
    arrays: Sequence[Array], columns: Mapping[str, Array], kinds: Mapping[str, Kind], dates: Collection[str], note: Note
) -> Generator[Chunk]:
    """Yield the rows of columns that are views of `arrays`, `dates` as days, and release the pages behind them."""
    rows = min((len(values) for values in columns.values()), default=0)
    step = rows_of_a_chunk(len(columns))
    with refusing(FORM):
        for start in range(0, rows, step):
            stop = min(start + step, rows)
            yield chunk_of({name: _arrow(columns[name][start:stop]) for name in kinds}, kinds, start, dates, note)
            for array in arrays:
                drop_behind(array, start, stop)


def _type(name: str, values: Array) -> pyarrow.DataType:
    match values.dtype.kind:
        case "m":
            return pyarrow.duration("s")
        case "M":
            return pyarrow.timestamp("s")
        case "b" | "i" | "u" | "f" | "U" | "S" if values.ndim == 1:
            return _arrow(values[:0]).type
    detail = f"Column {name!r} holds {str(values.dtype)[:50]}: give numbers, booleans or texts, one value a row."
    raise invalid(f"#/columns/{escape(name)}", detail, "unsupported_type")


def _arrow(values: Array) -> pyarrow.Array:
    """Arrow has numbers of this machine's byte order, of at most eight bytes; texts of bytes are UTF-8."""
    dtype = values.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize > 8:
        dtype = np.dtype(np.float64)
    array = pyarrow.array(np.ascontiguousarray(values, dtype))
    return array.cast(pyarrow.string()) if dtype.kind == "S" else array
