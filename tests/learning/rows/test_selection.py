"""Some columns of stored rows, cast: every path of learning makes the same bytes of them as of a copy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.learning.arrays import Array
from service.learning.network import Network
from service.learning.rows import batches
from service.learning.rows.gram import Gram
from service.learning.rows.one_hot import OneHotRows, Rows
from service.learning.rows.part import Part
from service.learning.rows.selection import Selection
from tests.learning.rows.test_one_hot_rows import RECIPES, outcome, recipe_of
from tests.support.learning.networks import network

STORED = np.arange(12.0).reshape(3, 4)


def test_rows_have_the_chosen_columns_in_the_wanted_dtype() -> None:
    rows = Selection(STORED, (0, 2, 3), "float32")
    assert (len(rows), rows.shape, rows.size, rows.dtype) == (3, (3, 3), 9, np.dtype("float32"))
    assert rows[1:].tolist() == [[4, 6, 7], [8, 10, 11]]
    assert rows[np.array([2, 0])].dtype == "float32"


def test_rows_are_taken_as_from_an_array() -> None:
    rows, indices = Selection(STORED, (1,), "float64"), np.array([2, 0, 2])
    out: Array = np.full((3, 1), np.nan)
    rows.take(indices, 0, out, "clip")
    assert out.tolist() == rows.take(indices).tolist() == [[9], [1], [9]]
    with pytest.raises(IndexError):
        rows.take(np.array([3]))


def test_it_does_not_pass_for_an_array() -> None:
    with pytest.raises(TypeError, match="slice"):
        np.asarray(Selection(STORED, None, "float32"))


@given(columns=st.sets(st.integers(0, 9), min_size=1).map(sorted), dtype=st.sampled_from(["float32", "float64"]))
def test_any_columns_are_those_of_a_copy(columns: list[int], dtype: str) -> None:
    stored = np.random.default_rng(0).normal(size=(7, 10))
    expected = stored[:, columns].astype(dtype)
    out: Array = np.empty_like(expected)
    Selection(stored, columns, dtype).write(slice(0, 7), out)
    assert np.array_equal(out, expected)
    assert np.array_equal(Selection(stored, columns, dtype)[:], expected)


KINDS = {
    "other columns": ("float32", None),
    "another dtype": ("float64", None),
    "other columns of another dtype": ("float64", None),
    "codes of other columns": ("float64", (None, 3, None, 2, None)),
}


@pytest.fixture(params=KINDS, ids=str)
def pair(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Part, Part]:
    """A part that is read as it is stored, and one of a copy; several blocks and windows, as of a large file."""
    monkeypatch.setattr(Network, "block_rows", 100)
    monkeypatch.setattr(batches, "RUN_BYTES", 1 << 8)
    monkeypatch.setattr(batches, "WINDOW_RUNS", 4)
    stored, classes = KINDS[request.param]
    columns = (0, 1, 3, 4, 5) if "columns" in request.param else None
    generator = np.random.default_rng(0)
    numbers: Array = generator.normal(size=(300, 6 if columns else 5)).astype(stored)
    if classes:
        numbers[:, [1, 4]] = np.column_stack([generator.integers(0, k, 300) for k in (3, 2)])
    targets: Array = generator.normal(size=(300, 2)).astype(stored)
    for name, array in (("inputs", numbers), ("targets", targets)):
        np.save(tmp_path / f"{name}.npy", array)
    numbers, targets = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("inputs", "targets"))
    copied: Array = np.ascontiguousarray(numbers if columns is None else numbers[:, columns])
    seen: Rows = Selection(numbers, columns, "float32" if classes is None else stored)
    copy: Rows = copied.astype("float32")
    if classes:
        assert isinstance(seen, Selection)
        seen, copy = OneHotRows(seen, classes, "float32"), OneHotRows(copied, classes, "float32")
    weights = np.linspace(1, 2, 300, dtype=np.float32)
    return (
        Part(seen, Selection(targets, None, "float32"), weights),
        Part(copy, targets.astype("float32"), weights),
    )


UNWEIGHTED = [name for name in RECIPES if "quadratic" in name]


@pytest.mark.parametrize("name", RECIPES)
def test_a_training_is_the_same_to_the_last_byte(pair: tuple[Part, Part], name: str) -> None:
    notation, options = RECIPES[name]
    inputs = pair[1].inputs.shape[1]
    net = network(notation.replace("11", str(inputs)).replace("=> 4", "=> 2"), "float32")
    parts: Any = [Part(each.inputs, each.targets) if name in UNWEIGHTED else each for each in pair]
    seen, copied = (outcome(net, part, part, recipe_of(options)) for part in parts)
    assert seen == copied


def test_so_are_the_sums_over_all_rows(pair: tuple[Part, Part]) -> None:
    seen, copied = (Gram.of(part.inputs, part.targets) for part in pair)
    assert np.array_equal(seen.matrix, copied.matrix)
    assert seen.reference.same_as(copied.reference)
