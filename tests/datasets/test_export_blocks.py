"""Stored parts become rows in the order of the data again, block by block."""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from service.datasets import export
from service.datasets.columns import Column
from service.datasets.formats.media_types import MediaType
from service.datasets.records import DatasetRecord
from service.storage.storage import Arrays
from tests.support.datasets.reading import read

TEXTS = ['a, "b"', "c\nd", "é", " e "]


def stored(parts: Iterable[Iterable[int]], **fields: Any) -> tuple[DatasetRecord, Arrays]:
    """A dataset whose rows tell their numbers in every column, divided like this."""
    rows = [np.array(list(each), np.int64) for each in parts]
    record = DatasetRecord(
        features=[Column("x"), Column("flag", "boolean")],
        targets=[Column("text", "categorical", tuple(TEXTS))],
        **dict(zip(("train_rows", "validation_rows", "test_rows"), map(len, rows), strict=True)),
        **fields,
    )
    numbers = np.concatenate(rows)
    inputs = np.stack([numbers / 7, numbers % 2], axis=1).astype(np.float32)
    targets = (numbers % len(TEXTS)).astype(np.float32).reshape(-1, 1)
    return record, Arrays(inputs=inputs, targets=targets, numbers=numbers)


@pytest.mark.parametrize(
    "parts",
    [
        [range(1000), [], []],
        [range(0, 1000, 2), range(1, 1000, 2), []],
        [range(500), range(600, 1000), range(500, 600)],
        [range(990, 1000), range(100), range(100, 990)],
        [range(0, 3000, 3), range(1, 3000, 30), [2, 2999]],  # as after rows were left out
    ],
)
def test_rows_of_all_parts_come_in_the_order_of_their_numbers(
    parts: list[Iterable[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 64)
    record, arrays = stored(parts)
    blocks = list(export.blocks(record, arrays))
    numbers = np.sort(arrays.numbers)
    assert max(len(block["x"]) for block in blocks) == 64
    assert (np.concatenate([block["x"] for block in blocks]) == (numbers / 7).astype(np.float32)).all()
    assert (np.concatenate([block["text"] for block in blocks]) == numbers % len(TEXTS)).all()


@pytest.mark.parametrize("form", export.FORMS)
def test_every_block_is_given_away_as_soon_as_it_is_written(form: MediaType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 1000)
    record, arrays = stored([range(0, 50_000, 2), range(1, 50_000, 2), []])
    columns = export.columns(record, ["text", "x", "flag"])
    pieces = list(export.content(form, columns, export.blocks(record, arrays)))
    body = b"".join(pieces)
    assert len(pieces) == 51
    assert max(map(len, pieces)) < len(body) / 10

    kinds, columns_read = read(form, body)
    assert kinds == {"text": "categorical", "x": "numeric", "flag": "boolean"}
    assert columns_read["text"] == [TEXTS[row % len(TEXTS)] for row in range(50_000)]
    assert np.array_equal(np.array(columns_read["x"], np.float32), (np.arange(50_000) / 7).astype(np.float32))
    assert columns_read["flag"] == [row % 2 for row in range(50_000)]


@pytest.mark.parametrize("form", export.FORMS)
def test_the_part_of_each_row_is_told_where_a_column_said_it(form: MediaType) -> None:
    record, arrays = stored([[0, 3], [1], [2]], split_column="part")
    columns = export.columns(record, ["x", "flag", "text"])
    body = b"".join(export.content(form, columns, export.blocks(record, arrays)))
    assert read(form, body)[1]["part"] == ["train", "validation", "test", "train"]


def test_numbers_keep_their_dtype() -> None:
    record, arrays = stored([range(4), [], []])
    blocks = export.blocks(record, arrays)
    body = b"".join(export.content(MediaType.PARQUET, export.columns(record, ["x", "flag", "text"]), blocks))
    assert [str(type) for type in parquet.read_schema(io.BytesIO(body)).types] == ["float", "bool", "string"]
