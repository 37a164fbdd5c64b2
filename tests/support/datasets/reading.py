"""Bodies read as the service reads them, without HTTP."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from service.datasets.formats.media_types import MediaType
from service.datasets.formats.read import read_table
from service.datasets.table import Chunk, ReadOptions, Texts
from service.errors import Invalid

Columns = dict[str, list[Any]]


def values(chunk: Chunk) -> Columns:
    """Categories as texts, missing values as they are: NaN, None."""

    def texts(column: Texts) -> list[str | None]:
        return [None if code < 0 else column.categories[code] for code in column.codes]

    return {name: texts(each) if isinstance(each, Texts) else each.tolist() for name, each in chunk.columns.items()}


class Trickle(io.BytesIO):
    """A body that arrives a few bytes at a time."""

    def __init__(self, body: bytes, at_once: int) -> None:
        super().__init__(body)
        self._at_once = at_once

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._at_once)


def read(form: MediaType, body: bytes, at_once: int = 1 << 20, **options: Any) -> tuple[dict[str, str], Columns]:
    """The kinds and the values of the columns of a whole body."""
    with TemporaryDirectory() as scratch:
        table = read_table(form, Trickle(body, at_once), ReadOptions(**{"limit": 1 << 30, **options}), Path(scratch))
        assert not list(Path(scratch).iterdir())
        columns: Columns = {name: [] for name in table.kinds}
        for chunk in table.chunks:
            assert chunk.rows
            assert list(chunk.columns) == list(table.kinds)
            for name, column in values(chunk).items():
                columns[name] += column
    return dict(table.kinds), columns


def refusal(form: MediaType, body: bytes, **options: Any) -> tuple[str, str]:
    """The pointer and detail of the first fault of a body."""
    with pytest.raises(Invalid) as refused:
        read(form, body, **options)
    fault, *_ = refused.value.errors
    assert fault.detail == refused.value.detail
    return fault.pointer, fault.detail
