"""Arrow IPC, stream or file: batch by batch from a file that is mapped into memory."""

from collections.abc import Generator, Mapping
from pathlib import Path

import pyarrow
from pyarrow import ipc

from service.datasets.columns import Kind
from service.datasets.faults import Note
from service.datasets.formats.arrow.arrays import chunks_of, kinds_of, mapped, refusing
from service.datasets.formats.arrow.sizes import check_sizes
from service.datasets.formats.body import Pieces, to_file
from service.datasets.table import Chunk, ReadOptions, Table

FORM = "Arrow stream"
MARK = b"ARROW1\0\0"
"""The first bytes of the file format: a stream follows, and then an index of its batches."""


def read_arrow(body: Pieces, options: ReadOptions, scratch: Path) -> Table:
    """Read an Arrow stream or file as a table. Either goes to `scratch` first: one batch may be all of it.

    Raises:
        TooLarge: it unpacks to too much.
        Invalid: it is no Arrow, or has columns that no network takes.
    """
    source = mapped(to_file(body, scratch / "body.arrow"))
    with refusing(FORM):
        check_sizes(_at_stream(source), body.packed)
        kinds = kinds_of(ipc.open_stream(_at_stream(source)).schema, options.types, options.ignored, options.note)
    return Table(kinds, _chunks(source, kinds, options.note))


def _chunks(source: pyarrow.NativeFile, kinds: Mapping[str, Kind], note: Note) -> Generator[Chunk]:
    with refusing(FORM), source:
        yield from chunks_of(ipc.open_stream(_at_stream(source)), kinds, note)


def _at_stream(source: pyarrow.NativeFile) -> pyarrow.NativeFile:
    """Go to the beginning of the stream: of the whole body, or behind the mark of an Arrow file."""
    source.seek(0)
    if source.read(len(MARK)) != MARK:
        source.seek(0)
    return source
