"""The export of a dataset: its rows in the order of the upload, in a form that reads as the same dataset."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from service.datasets.columns import Column
from service.datasets.formats.media_types import MediaType
from service.datasets.records import DatasetRecord
from service.datasets.split import PARTS
from service.http.json_numbers import Array
from service.learning.rows.memory_maps import drop_behind
from service.storage.storage import Arrays
from service.wire import PartName

if TYPE_CHECKING:
    import pyarrow

SUFFIXES = {MediaType.CSV: ".csv", MediaType.PARQUET: ".parquet", MediaType.ARROW_STREAM: ".arrow"}
FORMS = tuple(SUFFIXES)
"""Media types that `content` writes; the first is the default."""
VALUES = 1 << 22
MOST_ROWS = 1 << 16
"""Bounds of a block: together they keep one small, and a Parquet row group long enough to be worth its header."""


def columns(record: DatasetRecord, names: Iterable[str]) -> list[Column]:
    """The columns of a dataset in the order of `names`, and the one with the part of each row, if there is one."""
    known = {each.name: each for each in (*record.features, *record.targets)}
    parts = [] if record.split_column is None else [Column(record.split_column, "categorical", tuple(PARTS))]
    return [*(known[name] for name in names), *parts]


def file_name(record: DatasetRecord, form: MediaType, part: PartName | None) -> str:
    """Return the name of the file of a dataset, or of a part of it."""
    return record.name + (f"-{part}" if part is not None else "") + SUFFIXES[form]


def blocks(record: DatasetRecord, arrays: Arrays, part: PartName | None = None) -> Iterator[dict[str, Array]]:
    """Yield the stored values of each column by name, rows in the order of the upload, with `part` those of one part.

    There is at least one block, if need be without rows.
    """
    rows = max(1, min(MOST_ROWS, VALUES // arrays.inputs.shape[1]))
    parts = [record.slice_of(each) if part in (None, each) else slice(0, 0) for each in PARTS]
    for places, owners in _in_order(parts, arrays, rows):
        block: dict[str, Array] = {}
        for columns, array in ((record.features, arrays.inputs), (record.targets, arrays.targets)):
            block |= zip((each.name for each in columns), array[places].T, strict=True)
        if record.split_column is not None:
            block[record.split_column] = owners
        yield block


def _in_order(parts: Sequence[slice], arrays: Arrays, rows: int) -> Iterator[tuple[Array, Array]]:
    """Yield positions of the rows in upload order, at most `rows` at a time, with the part each belongs to.

    Within a part rows keep the order of the upload: the next ones are among the first of each part not yielded yet.
    """
    at = np.array([part.start for part in parts])
    while True:
        heads = [np.arange(start, min(start + rows, part.stop)) for start, part in zip(at, parts, strict=True)]
        places = np.concatenate(heads)
        owners = np.repeat(np.arange(len(PARTS)), [len(head) for head in heads])
        first = np.argsort(arrays.numbers[places], kind="stable")[:rows]
        yield places[first], owners[first]
        told = np.bincount(owners[first], minlength=len(PARTS))
        for array in (arrays.inputs, arrays.targets, arrays.numbers):
            for start, count in zip(at.tolist(), told.tolist(), strict=True):
                drop_behind(array, start, start + count)
        at += told
        if all(start >= part.stop for start, part in zip(at, parts, strict=True)):
            return


def content(form: MediaType, columns: Sequence[Column], blocks: Iterable[Mapping[str, Array]]) -> Iterator[bytes]:
    """Yield the bytes of a body of that form, one of `FORMS`: a piece for each of the blocks (at least one).

    Categories are texts, booleans are booleans. CSV cannot tell a category such as `NA` from a missing value; the other
    forms can.
    """
    batches = (_batch(columns, block) for block in blocks)
    first = next(batches)
    pieces = _Pieces()
    with _writer(form, pieces, first.schema) as writer:
        for batch in chain((first,), batches):
            writer.write_batch(batch)
            yield pieces.take()
    yield pieces.take()


class _Pieces(io.RawIOBase):
    """A file whose bytes are taken away as they are written."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._written.append(bytes(data))
        return len(self._written[-1])

    def take(self) -> bytes:
        written, self._written = b"".join(self._written), []
        return written


def _writer(form: MediaType, file: io.RawIOBase, schema: "pyarrow.Schema") -> Any:
    from pyarrow import csv, ipc, parquet  # here, and below: it takes a third of a second, and only this needs it

    match form:
        case MediaType.CSV:
            return csv.CSVWriter(file, schema)
        case MediaType.PARQUET:
            return parquet.ParquetWriter(file, schema)
        case MediaType.ARROW_STREAM:
            return ipc.new_stream(file, schema)
    raise ValueError(form)


def _batch(columns: Sequence[Column], block: Mapping[str, Array]) -> "pyarrow.RecordBatch":
    import pyarrow

    def array(column: Column) -> pyarrow.Array:
        stored = block[column.name]
        match column.kind:
            case "categorical":
                codes = pyarrow.array(stored.astype(np.int32))
                return pyarrow.DictionaryArray.from_arrays(codes, column.categories).dictionary_decode()
            case "boolean":
                return pyarrow.array(stored != 0)
            case _:
                return pyarrow.array(np.ascontiguousarray(stored))

    return pyarrow.record_batch([array(each) for each in columns], [each.name for each in columns])
