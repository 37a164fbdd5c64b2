"""Rows that are made when they are first read."""

import numpy as np

from service.learning.rows.later import LaterRows
from service.learning.rows.one_hot import row_bytes, stored, write_rows


def test_rows_are_made_once_and_only_where_they_are_read() -> None:
    made, array = list[int](), np.arange(12, dtype=np.float32).reshape(4, 3)

    def make() -> np.ndarray:
        made.append(1)
        return array

    rows = LaterRows((4, 3), "float32", make)
    assert (len(rows), rows.size, row_bytes(rows), made) == (4, 12, 12, [])
    out = np.empty((2, 3), np.float32)
    write_rows(rows, slice(1, 3), out)
    np.testing.assert_array_equal(out, array[1:3])
    np.testing.assert_array_equal(rows[np.array([3, 0])], array[[3, 0]])
    np.testing.assert_array_equal(rows.take(np.array([2])), array[[2]])
    assert stored(rows) is array
    assert made == [1]
