"""CSV, Arrow and Parquet bodies as the rows that a network takes."""

import csv
import io
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.datasets.columns import DateOrder, Kind
from service.datasets.formats.csv.delimiters import DELIMITERS
from service.datasets.formats.media_types import MediaType
from service.datasets.formats.read import read_table
from service.datasets.table import Chunk, Table
from service.errors import TooLarge, invalid
from service.http.json_numbers import Array
from service.http.media_types import CSV
from service.http.unpacking import check_ratio
from service.learning.rows.one_hot import Rows, row_bytes, rows_together
from service.models.signature.signature import Feature, Signature
from service.models.trained_network import TrainedNetwork
from service.pointers import escape
from service.predictions.levels import NONE_ASKED, Levels
from service.predictions.question import Question
from service.predictions.rows import named_rows

if TYPE_CHECKING:
    import pyarrow

MONTHS_FIRST = "months_first"
"""The code of advice that dates do not tell whether the day or the month comes first."""
INDEX = re.compile(r"__index_level_[0-9]+__")
"""The names of the index of pandas' rows."""
UNNAMED = re.compile(r"column_[0-9]+")
"""Names of columns that have none in the header of a CSV."""
UNPACKED = 4
"""Factor by which rows may exceed the bytes that a body may have: a digit and a comma become a number."""


class InputRows(NamedTuple):
    """Rows in the numbers that a network takes (rows × inputs); `pointer` leads to their list in the body, where
    they are in one.
    """

    inputs: Rows
    pointer: str | None
    levels: Levels = NONE_ASKED


def from_csv(question: Question, trained: TrainedNetwork) -> InputRows:
    """Rows of CSV. By the names of a header, in any order, where the version has a signature; else in their order,
    and a header is passed over.

    Raises:
        Invalid: no CSV, or columns or values are not what the network takes.
    """
    words, signature = question.query.file, trained.signature
    has_header = words.names_columns(question.content_type)
    if has_header is None:
        has_header = signature is not None or not _is_row_of_numbers(question.body)
    options = replace(
        words.reading(question.limit * UNPACKED, question.content_type),
        header=has_header,
        ignored=(),
        fewest=1,
        expected=_kinds(signature),
        known_dates=_dates(signature),
        refuses_missing=False,
        left_out=partial(_left_out, signature, words.ignore),
    )
    if signature is not None and not (options.header or options.columns or "c0" in signature.known):
        raise invalid("query/columns", "Without a header columns have no names: give columns= for each, in order.")
    with tempfile.TemporaryDirectory() as scratch:
        table = read_table(CSV, io.BytesIO(question.body), options, Path(scratch))
        for doubt in table.advice:
            if doubt.code == MONTHS_FIRST:
                raise invalid(doubt.pointer, doubt.detail, "ambiguous_date")
        return _together(_of_chunks(table, trained), question.limit)


def _left_out(signature: Signature | None, ignored: Collection[str], names: Sequence[str]) -> list[str]:
    """Return the columns that are not read; Invalid where the version knows nothing of a column.

    Columns without a name may turn out to be none of the data.
    """
    if signature is None:
        return [name for name in names if name in ignored]
    named = [name for name in names if not UNNAMED.fullmatch(name)]
    named_rows.check_names(signature, named, lambda _: "#")
    return [name for name in names if name in signature.skipped]


def _is_row_of_numbers(body: bytes) -> bool:
    line = body.lstrip(b"\xef\xbb\xbf\r\n").partition(b"\n")[0].decode(errors="replace").strip()
    return any(all(map(_is_number, next(csv.reader([line], delimiter=each), [""]))) for each in DELIMITERS)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _kinds(signature: Signature | None) -> dict[str, Kind]:
    """Return the kinds of columns by the signature, instead of by their first values."""
    return {} if signature is None else {each.name: each.kind for each in signature.features}


def _dates(signature: Signature | None) -> dict[str, DateOrder]:
    """Return the columns of days that were dates in training."""
    return {} if signature is None else {each.name: each.dates for each in signature.features if each.dates is not None}


def from_arrow(question: Question, trained: TrainedNetwork) -> InputRows:
    """Rows of Arrow, a stream or a file, or of Parquet: by name where the version has a signature, else by their order.

    Raises:
        Invalid: no such body, or columns or values are not what the network takes.
        TooLarge: it unpacks to more than the limit.
    """
    from service.datasets.formats.arrow.arrays import kinds_of, refusing, renamed, with_names
    from service.datasets.formats.arrow.dates import is_of_dates
    from service.datasets.formats.names import names_of_columns

    question.query.refuse_words(question.media_type, "types")
    is_parquet = question.media_type == MediaType.PARQUET
    with refusing("Parquet file" if is_parquet else "Arrow stream"):
        schema, batches = (_parquet if is_parquet else _arrow)(question)
        names = names_of_columns(schema.names).all
        schema, batches = with_names(schema, names), renamed(batches, names)
        index = [name for name in schema.names if INDEX.fullmatch(name) and name not in _kinds(trained.signature)]
        others = [name for name in schema.names if name not in index]
        left_out = [*index, *_left_out(trained.signature, question.query.file.ignore, others)]
        reading = question.query.file.reading(question.limit)
        expected = {name: kind for name, kind in _kinds(trained.signature).items() if name in schema.names}
        known = [
            name for name in _dates(trained.signature) if name in expected and is_of_dates(schema.field(name).type)
        ]
        dates = {*reading.dates, *known}
        kinds = kinds_of(schema, {**expected, **reading.types}, left_out, dates)
        return _together(_of_batches(batches, kinds, dates, trained), question.limit)


def _arrow(question: Question) -> "tuple[pyarrow.Schema, Iterable[pyarrow.RecordBatch]]":
    import pyarrow  # here: it takes a third of a second, and JSON can do without

    from service.datasets.formats.arrow.ipc import opened

    return opened(pyarrow.BufferReader(question.body), len(question.body))


def _parquet(question: Question) -> "tuple[pyarrow.Schema, Iterable[pyarrow.RecordBatch]]":
    import pyarrow
    from pyarrow import parquet

    from service.datasets.formats.parquet import unpacked_size

    file = parquet.ParquetFile(pyarrow.BufferReader(question.body))
    size = unpacked_size(file.metadata, file.schema_arrow)
    if size > question.limit * UNPACKED:
        raise TooLarge(f"The rows take {size:,} bytes unpacked, and at most {question.limit * UNPACKED:,} are read.")
    check_ratio(len(question.body), size)
    return file.schema_arrow, file.iter_batches()


def _of_batches(
    batches: "Iterable[pyarrow.RecordBatch]", kinds: Mapping[str, Kind], dates: Collection[str], trained: TrainedNetwork
) -> Iterator[Rows]:
    from service.datasets.formats.arrow.arrays import chunk_of

    first, in_order = 0, _numeric_columns(list(kinds), trained)
    for batch in batches:
        batch.validate(full=True)
        read = batch if batch.num_columns == len(kinds) else batch.select(list(kinds))
        rows: Rows | None = None if in_order is None else _held_as_they_are(read, in_order, trained.network.dtype)
        if rows is None:
            rows = _rows(chunk_of(dict(zip(kinds, read.columns, strict=True)), kinds, first, dates), first, trained)
        first += batch.num_rows
        yield rows


def _numeric_columns(names: list[str], trained: TrainedNetwork) -> list[int] | None:
    """Return the places of the columns that the network takes as they are, in its order; None where it takes others."""
    signature = trained.signature
    if signature is None:
        return list(range(len(names))) if len(names) == trained.network.inputs else None
    wanted = [each.name for each in signature.features if each.kind == "numeric"]
    fits = len(wanted) == len(signature.features) and set(wanted) <= set(names) <= signature.known
    return [names.index(name) for name in wanted] if fits else None


def _held_as_they_are(batch: "pyarrow.RecordBatch", places: list[int], dtype: str) -> Array | None:
    """Columns of the network's own dtype, none of whose values is missing or infinite, with the fewest copies."""
    columns = [batch.column(place) for place in places]
    if any(column.null_count or column.type != _ARROW_NAMES[dtype] for column in columns):
        return None
    stacked = np.stack([column.to_numpy() for column in columns])
    return stacked.T if np.isfinite(stacked).all() else None


_ARROW_NAMES = {"float32": "float", "float64": "double"}


def _of_chunks(table: Table, trained: TrainedNetwork) -> Iterator[Rows]:
    first = 0
    with closing(table.chunks):
        for chunk in table.chunks:
            yield _rows(chunk, first, trained)
            first += chunk.rows


def _together(blocks: Iterable[Rows], limit: int) -> InputRows:
    found: list[Rows] = []
    size = 0
    for block in blocks:
        found.append(block)
        size += len(block) * row_bytes(block)
        if size > limit * UNPACKED:
            raise TooLarge(f"The rows take more than {limit * UNPACKED:,} bytes.")
    inputs = found[0] if len(found) == 1 else rows_together(found or [np.empty((0, 1))])
    if not len(inputs):
        raise invalid("#", "There are no rows.", "empty")
    return InputRows(inputs, "#")


def _rows(chunk: Chunk, first: int, trained: TrainedNetwork) -> Rows:
    dtype = trained.network.dtype

    def place(column: str, row: int | None) -> str:
        return "#" if row is None else f"#/columns/{escape(column)}/{first + row}"

    if trained.signature is not None:
        return named_rows.from_columns(trained.signature, chunk.columns, dtype, place, chunk.where)
    if len(chunk.columns) != trained.network.inputs:
        detail = f"There are {len(chunk.columns)} columns, but the model takes {trained.network.inputs}."
        raise invalid("#", detail, "widths_differ")
    return named_rows.from_columns(_numeric(tuple(chunk.columns)), chunk.columns, dtype, place, chunk.where)


def _numeric(names: tuple[str, ...]) -> Signature:
    """Return the signature of columns of plain numbers."""
    return Signature(tuple(Feature(name, "numeric") for name in names), ())
