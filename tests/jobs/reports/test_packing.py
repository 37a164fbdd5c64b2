"""Reports in blocks: nothing but digits of seconds is lost, and little is written."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.jobs.reports.packing import BLOCK, FIELDS, Block, joined, pack, reports_of, unpack

Row = tuple[Any, ...]

number = st.floats(allow_nan=False, width=64) | st.floats(allow_nan=False, width=32) | st.sampled_from([0.1, math.inf])
optional = st.none() | number


def epochs_of(first: int, rows: list[Row]) -> list[Row]:
    return [(first + index, *row) for index, row in enumerate(rows)]


@given(
    st.integers(0, 10_000_000),
    st.lists(st.tuples(number, optional, optional, optional, st.floats(0, 1e6, width=32)), min_size=1, max_size=40),
)
def test_every_number_comes_back_with_all_its_bits(first: int, rows: list[Row]) -> None:
    (block,) = pack(reports_of(epochs_of(first, rows)))
    found = unpack(block)
    assert found.epochs.tolist() == list(range(first, first + len(rows)))
    np.testing.assert_array_equal(found.values, np.array(rows, np.float64))


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=40))
def test_seconds_keep_seven_digits(seconds: list[float]) -> None:
    (block,) = pack(reports_of(epochs_of(0, [(1.0, None, None, None, each) for each in seconds])))
    assert [report["seconds"] for report in unpack(block).to_json()] == pytest.approx(seconds, rel=1e-6)


def test_what_is_packed_again_stays_as_it_is() -> None:
    rows = [(1 / (epoch + 1), None, 0.1, epoch / 3, epoch / 7) for epoch in range(100)]
    (once,) = pack(reports_of(epochs_of(0, rows)))
    assert list(pack(unpack(once))) == [once]


def test_blocks_are_full_but_the_last() -> None:
    rows = [(float(epoch), None, None, None, 0.5) for epoch in range(2 * BLOCK + 1)]
    blocks = list(pack(reports_of(epochs_of(7, rows))))
    assert [(block.epoch, block.length) for block in blocks] == [(7, BLOCK), (7 + BLOCK, BLOCK), (7 + 2 * BLOCK, 1)]
    assert joined([unpack(block) for block in blocks]).values[:, 0].tolist() == [row[0] for row in rows]


@pytest.mark.parametrize(
    ("row", "bytes_a_report"),
    [
        (lambda n: (n / 3, None, 0.1, n / 7, n / 9), 8 + 8 + 4),
        (lambda n: (n / 3, n / 5, 0.1, n / 7, n / 9), 8 + 8 + 8 + 4),
        (lambda n: (n / 3, n / 5, 1 / n, n / 7, n / 9), 8 + 8 + 8 + 8 + 4),
        (lambda n: (n / 3, None, None, None, 0.25), 8),
        (lambda n: (float(n), None, None, None, n / 9), 4 + 4),
    ],
    ids=["a fixed rate", "with validation", "with a schedule", "equal seconds", "single precision"],
)
def test_a_column_takes_no_more_bytes_than_its_numbers_need(row: Any, bytes_a_report: int) -> None:
    (block,) = pack(reports_of(epochs_of(1, [row(n) for n in range(1, BLOCK + 1)])))
    assert 0 <= len(block.columns) - bytes_a_report * BLOCK <= 5 + 2 * 8


def test_numbers_that_json_does_not_have_are_null() -> None:
    row = (1.0, math.inf, math.nan, None, 0.1)
    found = unpack(next(pack(reports_of([(3, *row), (4, 1.0, 2.0, 3.0, 4.0, 0.25)])))).to_json()
    assert found[0] == dict(zip(FIELDS, (3, 1.0, None, None, None, 0.1), strict=True))
    assert found[1] == dict(zip(FIELDS, (4, 1.0, 2.0, 3.0, 4.0, 0.25), strict=True))


def test_a_block_is_its_codes_and_then_its_columns() -> None:
    """The layout that databases have: code bytes, then little-endian numbers."""
    (block,) = pack(reports_of([(0, 0.1, None, 0.5, 2.0, 1.0), (1, 0.2, None, 0.5, 3.0, 2.0)]))
    numbers = [np.array([0.1, 0.2], "<f8"), np.array([0.5], "<f8"), np.array([2, 3], "<f4"), np.array([1, 2], "<f4")]
    assert block == Block(0, 2, bytes([3, 0, 1, 2, 2]) + b"".join(each.tobytes() for each in numbers))
