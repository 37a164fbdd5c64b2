"""Statistics of columns too long to hold, beside NumPy's of the whole columns."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from service.datasets.ingest import describe as statistics
from service.datasets.ingest.describe import MOST_SORTED, STRETCH, SpooledColumn, count_below, describe, evenly_spread
from service.datasets.ingest.spool import Spool
from service.datasets.schemas import Split
from service.datasets.split import PARTS, Parts, assign

ROWS = 2 * STRETCH + 12_345
SPLIT = Split.model_validate({"validation": {"fraction": 0.1}, "test": {"last": 1000}, "calibration": {"first": 500}})


def columns(dtype: str) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(8)
    return {
        "far": (1e6 + random.normal(size=ROWS)).astype(dtype),
        "skewed": random.exponential(size=ROWS).astype(dtype),
        "whole": random.integers(0, 20, ROWS).astype(dtype),  # values that lie on edges
    }


@pytest.fixture
def open_files() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def spooled(open_files: ExitStack, folder: Path, values: list[NDArray[Any]], pieces: int) -> tuple[Spool, Parts]:
    spool = open_files.enter_context(Spool(folder, len(values), values[0].dtype.name))
    parts = open_files.enter_context(Parts(folder))
    for chunk in zip(*(np.array_split(each, pieces) for each in values), strict=True):
        spool.append(chunk)
    assign(parts, spool.rows, SPLIT)
    parts.check()
    return spool, parts


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_long_column_is_described_as_numpy_describes_it(tmp_path: Path, open_files: ExitStack, dtype: str) -> None:
    named = columns(dtype)
    spool, parts = spooled(open_files, tmp_path, list(named.values()), pieces=7)
    codes = parts.of(0, ROWS)
    for place, (name, values) in enumerate(named.items()):
        described = describe(SpooledColumn(place, name, "numeric", 0), spool, parts)["parts"]
        for code, part in enumerate(PARTS):
            exact = values[codes == code].astype(np.float64)
            given = described[part]
            assert (given["count"], given["min"], given["max"]) == (len(exact), exact.min(), exact.max())
            assert given["mean"] == pytest.approx(exact.mean(), rel=1e-14)
            assert given["std"] == pytest.approx(exact.std(ddof=1), rel=1e-12)
            assert list(given["quantiles"].values()) == pytest.approx(np.quantile(exact, [0.25, 0.5, 0.75]), rel=1e-14)
            counts, edges = np.histogram(exact, bins=20)
            assert given["histogram"] == {"edges": edges.tolist(), "counts": counts.tolist()}


def test_the_pieces_in_which_rows_come_do_not_matter(tmp_path: Path, open_files: ExitStack) -> None:
    values = list(columns("float32").values())
    described = [
        describe(SpooledColumn(1, "x", "numeric", 0), *spooled(open_files, tmp_path, values, pieces))
        for pieces in (1, 3, 1000)
    ]
    assert described[0] == described[1] == described[2]


def test_the_spool_gives_back_blocks_and_columns_as_they_were(tmp_path: Path, open_files: ExitStack) -> None:
    values = list(columns("float32").values())
    spool, _ = spooled(open_files, tmp_path, values, pieces=5)
    blocks = [spool.block(start) for start in range(0, spool.rows, spool.block_rows)]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), np.stack(values))
    for start, stop in ((0, ROWS), (7, 8), (spool.block_rows - 1, spool.block_rows + 1), (ROWS - 3, ROWS)):
        np.testing.assert_array_equal(spool.column(2, start, stop), values[2][start:stop])


def test_quantiles_of_many_values_are_those_of_an_evenly_spread_part(
    tmp_path: Path, open_files: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MOST_SORTED", 1000)
    values: NDArray[Any] = np.arange(ROWS, dtype=np.float64)
    spool, parts = spooled(open_files, tmp_path, [values], pieces=3)
    given = describe(SpooledColumn(0, "x", "numeric", 0), spool, parts)["parts"]["train"]
    train = values[parts.of(0, ROWS) == 0]
    for share in (0.25, 0.5, 0.75):
        assert given["quantiles"][str(share)] == pytest.approx(np.quantile(train, share), rel=0.003)
    assert sum(given["histogram"]["counts"]) == given["count"] == len(train)


@pytest.mark.parametrize("count", [MOST_SORTED, MOST_SORTED + 1, 3 * MOST_SORTED - 7])
def test_evenly_spread_values_are_as_many_as_can_be_sorted(count: int) -> None:
    pieces, first = [], 0
    for length in (1, 10, 100_000, count - 100_011):
        pieces.append(first + evenly_spread(count, first, length))
        first += length
    chosen = np.concatenate(pieces)
    assert len(chosen) == MOST_SORTED
    assert (chosen[0], chosen[-1] >= count - 1 - count // MOST_SORTED) == (0, True)
    assert set(np.diff(chosen).tolist()) <= {count // MOST_SORTED, count // MOST_SORTED + 1}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_value_on_an_edge_is_not_below_it(dtype: type) -> None:
    values: NDArray[Any] = np.array([0.1, 0.2, 0.3, np.nextafter(np.float32(0.3), np.float32(0))], dtype)
    edges = np.array([0.1, 0.2, 0.3, float(values[1]), float(values[2])])
    expected = [sum(float(value) < edge for value in values) for edge in edges.tolist()]
    assert count_below(values, edges).tolist() == expected
