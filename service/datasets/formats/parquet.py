"""Parquet: batch by batch from a file that is mapped into memory."""

from collections.abc import Generator
from pathlib import Path

import pyarrow
from pyarrow import parquet

from service.datasets.columns import unambiguous
from service.datasets.faults import Note
from service.datasets.formats.arrow.arrays import Found, chunks_of, columns_of, mapped, refusing, renamed
from service.datasets.formats.arrow.values import is_text
from service.datasets.formats.body import Pieces, to_file
from service.datasets.formats.checks import rows_of_a_chunk
from service.datasets.table import Chunk, ReadOptions, Table
from service.errors import invalid

FORM = "Parquet file"
OF_ARROW = b"ARROW1"


def read_parquet(body: Pieces, options: ReadOptions, scratch: Path) -> Table:
    """Read a Parquet file as a table; its end describes its content, so it goes to `scratch` first.

    Raises:
        TooLarge: it unpacks to too much.
        Invalid: it is no Parquet, or has columns that no network takes.
    """
    source = mapped(to_file(body, scratch / "body.parquet"))
    with refusing(FORM):
        if source.read(len(OF_ARROW)) == OF_ARROW:
            detail = "This is an Arrow file: send Content-Type: application/vnd.apache.arrow.file."
            raise invalid("#", detail, "malformed")
        source.seek(0)
        metadata = parquet.read_metadata(source)
        schema = metadata.schema.to_arrow_schema()
        body.check(unpacked_size(metadata, schema))
        found = columns_of(schema, options)
    # Texts stay codes as the file has them: few bytes may name long texts many times.
    all_of_them = len(found.kinds) == len(schema) or found.names != schema.names
    columns = None if all_of_them else list(found.kinds)
    texts = [field.name for field in schema if is_text(field.type)]
    chunks = _chunks(source, found, texts, columns, options.note)
    return Table(found.kinds, chunks, advice=found.advice, ignored=found.left_out, dates=unambiguous(found.dates))


def unpacked_size(metadata: parquet.FileMetaData, schema: pyarrow.Schema) -> int:
    """The bytes of the pages unpacked, or of the numbers in them where these are more: few runs may be many rows."""
    pages = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    bits = sum(_bit_width(field.type) for field in schema)
    return int(max(pages, metadata.num_rows * bits // 8))


def _bit_width(kind: pyarrow.DataType) -> int:
    """Return the bits of a value; 0 where they differ."""
    try:
        return int(kind.bit_width)
    except ValueError:
        return 0


def _chunks(
    source: pyarrow.NativeFile, found: Found, texts: list[str], columns: list[str] | None, note: Note
) -> Generator[Chunk]:
    with refusing(FORM), source:
        file = parquet.ParquetFile(source, read_dictionary=texts)
        batches = file.iter_batches(rows_of_a_chunk(len(found.kinds)), columns=columns)
        if columns is None:
            batches = renamed(batches, found.names)
        yield from chunks_of(batches, found.kinds, found.dates, note)
