"""Arrow IPC, stream or file: batch by batch from a file that is mapped into memory."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pyarrow
from pyarrow import ipc

from service.datasets.columns import unambiguous
from service.datasets.faults import Note
from service.datasets.formats.arrow.arrays import Found, chunks_of, columns_of, mapped, refusing, renamed
from service.datasets.formats.arrow.sizes import check_sizes, check_sizes_of_file
from service.datasets.formats.body import Pieces, to_file
from service.datasets.table import Chunk, ReadOptions, Table
from service.errors import invalid

FORM = "Arrow stream"
MARK = b"ARROW1\0\0"
"""The first bytes of the file format."""
OLD_MARK = b"FEA1"
OF_PARQUET = b"PAR1"


def read_arrow(body: Pieces, options: ReadOptions, scratch: Path) -> Table:
    """Read an Arrow stream or file as a table. Either goes to `scratch` first: one batch may be all of it.

    A file is read by its footer: what stands before it need not be a whole stream.

    Raises:
        TooLarge: it unpacks to too much.
        Invalid: it is no Arrow, or has columns that no network takes.
    """
    source = mapped(to_file(body, scratch / "body.arrow"))
    with refusing(FORM):
        schema, batches = opened(source, body.packed)
        found = columns_of(schema, options)
    chunks = _chunks(source, batches, found, options.note)
    return Table(found.kinds, chunks, advice=found.advice, ignored=found.left_out, dates=unambiguous(found.dates))


def opened(source: pyarrow.NativeFile, packed: int) -> tuple[pyarrow.Schema, Iterator[pyarrow.RecordBatch]]:
    """Return the schema and the batches of a stream or a file, which came as `packed` bytes.

    Raises:
        TooLarge: it unpacks to too much.
        Invalid, pyarrow.ArrowInvalid: it is no Arrow.
    """
    start = source.read(len(MARK))
    source.seek(0)
    if start.startswith(OLD_MARK):
        raise invalid("#", "This is Feather of version 1: write version 2, or Parquet.", "malformed")
    if start.startswith(OF_PARQUET):
        raise invalid("#", "This is Parquet: send Content-Type: application/vnd.apache.parquet.", "malformed")
    is_file = start == MARK
    (check_sizes_of_file if is_file else check_sizes)(source, packed)
    source.seek(0)
    if is_file:
        file = ipc.open_file(source)
        return file.schema, map(file.get_batch, range(file.num_record_batches))
    stream = ipc.open_stream(source)
    return stream.schema, iter(stream)


def _chunks(
    source: pyarrow.NativeFile, batches: Iterator[pyarrow.RecordBatch], found: Found, note: Note
) -> Generator[Chunk]:
    with refusing(FORM), source:
        yield from chunks_of(renamed(batches, found.names), found.kinds, found.dates, note)
