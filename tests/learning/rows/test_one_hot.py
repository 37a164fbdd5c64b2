"""Rows of codes are seen as one-hot."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.learning.arrays import Array
from service.learning.rows.one_hot import OneHotRows, expand, room_for, row_bytes, stored, unexpanded, write_rows
from service.learning.rows.selection import Selection

CODES = np.array([[2.0, 0.5, 0.0], [0.0, -1.0, 1.0], [1.0, 7.0, 1.0]])
CLASSES = (3, None, 2)
DENSE = [[0, 0, 1, 0.5, 1, 0], [1, 0, 0, -1, 0, 1], [0, 1, 0, 7, 0, 1]]


def test_a_code_is_one_in_the_place_of_its_class() -> None:
    assert expand(CODES, CLASSES, "float64").tolist() == DENSE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_has_the_shape_and_dtype_of_what_is_seen(dtype: str) -> None:
    rows = OneHotRows(CODES, CLASSES, dtype)
    assert (len(rows), rows.shape, rows.size, rows.dtype) == (3, (3, 6), 18, np.dtype(dtype))
    assert rows[:].dtype == dtype


@pytest.mark.parametrize("rows", [slice(1, 3), slice(0, 0), slice(None, None, 2), np.array([2, 0, 2])], ids=str)
def test_slices_and_chosen_rows_are_dense(rows: slice) -> None:
    assert np.array_equal(OneHotRows(CODES, CLASSES, "float32")[rows], np.array(DENSE, np.float32)[rows])


def test_rows_are_taken_as_from_an_array() -> None:
    rows, dense, indices = OneHotRows(CODES, CLASSES, "float64"), np.array(DENSE), np.array([2, 0, 2])
    out: Array = np.full((3, 6), np.nan)
    rows.take(indices, 0, out, "clip")
    assert np.array_equal(out, dense.take(indices, 0))
    assert np.array_equal(rows.take(indices), out)
    with pytest.raises(IndexError):
        rows.take(np.array([3]))


def test_rows_are_written_over_whatever_was_there() -> None:
    for rows in (OneHotRows(CODES, CLASSES, "float64"), np.array(DENSE)):
        out: Array = np.full((2, 6), np.nan)
        write_rows(rows, slice(1, 3), out)
        assert out.tolist() == DENSE[1:]


def test_rows_that_do_not_lie_together_are_not_written_to() -> None:
    with pytest.raises(ValueError, match="copy"):
        OneHotRows(CODES, CLASSES, "float64").write(slice(0, 3), np.empty((3, 7))[:, :6])


def test_codes_may_be_a_selection_of_columns() -> None:
    wide = np.insert(CODES, 1, 99.0, axis=1)
    rows, out = OneHotRows(Selection(wide, (0, 2, 3), "float64"), CLASSES, "float32"), np.empty((2, 6), np.float32)
    assert rows[:].tolist() == DENSE
    assert rows.take(np.array([2, 0])).tolist() == [DENSE[2], DENSE[0]]
    rows.write(slice(0, 2), out)
    assert out.tolist() == DENSE[:2]
    assert stored(rows) is wide


def test_room_in_memory_is_for_the_same_columns() -> None:
    rows, dense = OneHotRows(CODES, CLASSES, "float32"), np.zeros((1, 6))
    room = room_for(rows, 2)
    write_rows(unexpanded(rows), slice(1, 3), stored(room))
    assert room.dtype == "float32"
    assert room[:].tolist() == DENSE[1:]
    assert (row_bytes(rows), row_bytes(dense)) == (24, 48)
    assert stored(dense) is unexpanded(dense) is dense


def test_numbers_alone_stay_as_they_are() -> None:
    assert np.array_equal(expand(CODES, [None, None, None], "float64"), CODES)


def test_there_must_be_classes_for_every_column() -> None:
    with pytest.raises(ValueError, match="3 columns, classes are given for 2"):
        OneHotRows(CODES, [None, 2], "float32")


def test_it_does_not_pass_for_an_array() -> None:
    """An array would be made row by row, with all rows in memory."""
    with pytest.raises(TypeError, match="slice"):
        np.asarray(OneHotRows(CODES, CLASSES, "float32"))


@given(classes=st.lists(st.none() | st.integers(1, 5), min_size=1, max_size=8), rows=st.integers(0, 30))
def test_any_mix_of_columns_is_seen_as_the_columns_side_by_side(classes: list[int | None], rows: int) -> None:
    generator = np.random.default_rng(0)
    codes = np.empty((rows, len(classes)))
    for column, count in enumerate(classes):
        codes[:, column] = generator.normal(size=rows) if count is None else generator.integers(0, count, rows)
    beside = [
        codes[:, [column]] if count is None else np.eye(count)[codes[:, column].astype(int)]
        for column, count in enumerate(classes)
    ]
    assert np.array_equal(expand(codes, classes, "float64"), np.hstack(beside))


def test_codes_may_be_a_read_only_map_of_another_dtype(tmp_path: Path) -> None:
    np.save(tmp_path / "codes.npy", CODES)
    mapped = np.load(tmp_path / "codes.npy", mmap_mode="r")
    assert expand(mapped, CLASSES, "float32").tolist() == DENSE
