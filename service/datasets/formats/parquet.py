"""Parquet: batch by batch from a file that is mapped into memory."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pyarrow
from pyarrow import parquet, types

from service.datasets.chunks import Chunk, Kind, ReadOptions, Table
from service.datasets.formats.arrow_arrays import chunks_of, kinds_of, mapped, refusing
from service.datasets.formats.columns import rows_of_a_chunk
from service.datasets.formats.pieces import spool

FORM = "Parquet file"


def read_parquet(pieces: Iterator[bytes], options: ReadOptions, scratch: Path) -> Table:
    """The table that a Parquet file is; its end says what is in it, so it goes to `scratch` first.

    Raises:
        Invalid: it is no Parquet, or has columns that no network takes.
    """
    source = mapped(spool(pieces, scratch / "body.parquet"))
    with refusing(FORM):
        schema = parquet.read_schema(source)
        kinds = kinds_of(schema, options.types, options.ignored)
    # Texts stay codes as the file has them: few bytes may name long texts many times.
    columns = None if len(kinds) == len(schema) else list(kinds)
    texts = [field.name for field in schema if types.is_string(field.type) or types.is_large_string(field.type)]
    return Table(kinds, _chunks(source, kinds, texts, columns))


def _chunks(
    source: pyarrow.NativeFile, kinds: Mapping[str, Kind], texts: list[str], columns: list[str] | None
) -> Generator[Chunk]:
    with refusing(FORM), source:
        file = parquet.ParquetFile(source, read_dictionary=texts)
        yield from chunks_of(file.iter_batches(rows_of_a_chunk(len(kinds)), columns=columns), kinds)
