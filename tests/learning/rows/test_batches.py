"""Batches: their rows, the order of these, and the way they are read."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.learning.arrays import Array
from service.learning.rows import batches
from service.learning.rows.batches import Batches, Order
from service.learning.rows.part import Part


def rows_of(source: Batches, epoch: int) -> list[list[int]]:
    """The rows of each batch; the inputs are the rows' numbers."""
    source.begin_epoch(epoch)
    found = []
    for start in range(0, source.rows, source.size):
        stop = min(start + source.size, source.rows)
        buffers: list[Array] = [np.empty((stop - start, 1)), np.empty((stop - start, 1))]
        source.read(start, stop, buffers)
        assert np.array_equal(buffers[0], buffers[1])
        found.append(buffers[0].ravel().astype(int).tolist())
    return found


def numbered(rows: int) -> Part:
    numbers = np.arange(float(rows)).reshape(-1, 1)
    return Part(numbers, numbers)


def test_without_shuffle_rows_come_in_the_order_of_the_file() -> None:
    assert rows_of(Batches(numbered(7), 3), 1) == [[0, 1, 2], [3, 4, 5], [6]]


def test_without_partial_the_last_rows_are_left_out() -> None:
    assert rows_of(Batches(numbered(7), 3, partial=False), 1) == [[0, 1, 2], [3, 4, 5]]
    assert rows_of(Batches(numbered(2), 3, partial=False), 1) == [[0, 1]]


def test_every_epoch_has_its_own_order_and_the_same_one_again() -> None:
    source = Batches(numbered(100), 10, shuffle=True, seed=3)
    first, second = rows_of(source, 1), rows_of(source, 2)
    assert first != second
    assert rows_of(Batches(numbered(100), 10, shuffle=True, seed=3), 2) == second
    assert rows_of(Batches(numbered(100), 10, shuffle=True, seed=4), 1) != first


def test_one_batch_of_all_rows_is_not_shuffled() -> None:
    assert rows_of(Batches(numbered(5), None, shuffle=True), 1) == [[0, 1, 2, 3, 4]]


@given(
    rows=st.integers(1, 400),
    size=st.integers(1, 50),
    run=st.integers(1, 20),
    window=st.integers(1, 5),
    seed=st.integers(0, 2**53 - 1),
)
def test_an_epoch_has_every_row_once_whatever_runs_and_windows_are(
    rows: int, size: int, run: int, window: int, seed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "RUN_BYTES", run * 16)
        patch.setattr(batches, "WINDOW_RUNS", window)
        source = Batches(numbered(rows), size, shuffle=True, seed=seed)
        found = rows_of(source, 1)
    assert sorted(row for batch in found for row in batch) == list(range(rows))
    assert [len(batch) for batch in found[:-1]] == [source.size] * (len(found) - 1)


def test_the_rows_at_a_position_are_the_same_from_wherever_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "RUN_BYTES", 64)
    monkeypatch.setattr(batches, "WINDOW_RUNS", 4)
    in_order = sum(rows_of(Batches(numbered(100), 10, shuffle=True), 2), [])  # noqa: RUF017 - ten lists
    for start, stop in [(50, 90), (0, 3), (97, 100), (15, 17)]:
        source = Batches(numbered(100), 10, shuffle=True)
        source.begin_epoch(2)
        buffers: list[Array] = [np.empty((stop - start, 1)), np.empty((stop - start, 1))]
        source.read(start, stop, buffers)
        assert buffers[0].ravel().tolist() == in_order[start:stop]


def test_rows_are_mixed_across_the_whole_file_in_long_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each window of a file of 64 runs has runs from all over."""
    monkeypatch.setattr(batches, "RUN_BYTES", 100)
    monkeypatch.setattr(batches, "WINDOW_RUNS", 16)
    order = Order(6400, 1, seed=0, epoch=1)
    runs = order.enter(1600)
    assert (order.first, order.last) == (1600, 3200)
    assert [run.stop - run.start for run in runs] == [100] * 16
    starts = sorted(run.start for run in runs)
    assert starts[0] < 1600
    assert starts[-1] >= 4800


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_memory_map_is_read_as_the_same_array_in_memory(
    shuffle: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "RUN_BYTES", 1 << 12)
    monkeypatch.setattr(batches, "WINDOW_RUNS", 4)
    part = numbered(10_000)
    np.save(tmp_path / "rows.npy", part.inputs[:])
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")[100:9_000]
    in_memory = Part(part.inputs[100:9_000], part.inputs[100:9_000])
    expected = rows_of(Batches(in_memory, 300, shuffle=shuffle), 1)
    assert rows_of(Batches(Part(mapped, mapped), 300, shuffle=shuffle), 1) == expected
