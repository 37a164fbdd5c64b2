"""Parts of datasets as networks see them: read from the files as they are used, and converted on the way."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.format import open_memmap

from service.datasets.arrangement import Arrangement
from service.datasets.columns import Column
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.http.json_numbers import Array
from service.learning.rows.gram import Gram
from service.learning.rows.memory_maps import mapping_of
from service.learning.rows.one_hot import OneHotRows, stored
from service.learning.rows.selection import Selection
from service.storage.storage import Storage, write_gram
from tests.support.scripts import printed_by

ROWS = 2_000_000
COLUMNS = 33
FILE_MEGABYTES = ROWS * COLUMNS * 4 >> 20

MEASURE = """
import sys
from functools import partial
from itertools import product
from pathlib import Path
from service.learning.evaluation.evaluation import Numbers, evaluate
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import Adam
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.datasets.test_view import ACTS, COLUMNS, ROWS, SEEN, view_of
from tests.support.scripts import peak_memory, print_from_a_fork

def megabytes_above_the_start(seen, act):
    dtype, weights = seen
    view = view_of(Path(sys.argv[1]), ROWS, COLUMNS, dtype, weights)
    network = Network(read(f"Chain(Dense({view.columns.inputs} => 8, tanh), Dense(8 => 1))"), dtype)
    vector = network.initial(0)
    before = peak_memory()
    if act == "train":
        part = view.part("train")
        recipe = Recipe(loss=MSE(), optimiser=Adam(), epochs=1, batch_size=2048, shuffle=True)
        list(Training(Problem(network, part, None, recipe), vector).run())
    elif act == "evaluate":
        evaluate(network, vector, view.part("train"), MSE(), [Numbers()])
    else:
        network.predict(vector, view.rows("train"))
    return peak_memory() - before >> 20

for seen, act in product(SEEN, ACTS):
    print_from_a_fork(partial(megabytes_above_the_start, seen, act))
"""
ACTS = ("train", "evaluate", "predict")
SEEN = (("float32", "x5"), ("float64", None))
"""Dtypes in which a network sees the rows, and columns of weights."""


def view_of(
    folder: Path, rows: int, columns: int, dtype: str, weights: str | None, kind: str = "numeric"
) -> DatasetView:
    """The view of a float32 dataset whose first feature is of this kind."""
    features = [Column(f"x{index}") for index in range(columns)]
    if kind == "categorical":
        features[0] = Column("x0", "categorical", ("a", "b", "c"))
    record = DatasetRecord(id="data", name="data", features=features, targets=[Column("y")])
    record.train_rows, record.validation_rows, record.test_rows = rows, 0, 0
    record.dtype, record.sha256 = "float32", "hash"
    return DatasetView(Storage(folder, folder / "cache"), Arrangement.as_stored(record, weights), dtype)


def save(folder: Path, inputs: Array) -> None:
    (folder / "data").mkdir()
    arrays = {"inputs": inputs, "targets": inputs[:, :1] + 1, "numbers": np.arange(len(inputs), dtype=np.uint32)}
    for name, array in arrays.items():
        np.save(folder / "data" / f"{name}.npy", array)


INPUTS = np.array([[0, 5, 0.5], [2, 6, 1.5], [1, 7, 2.5]], np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("weights", [None, "x1"])
@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_a_part_is_read_from_the_files(tmp_path: Path, dtype: str, weights: str | None, kind: str) -> None:
    save(tmp_path, INPUTS)
    view = view_of(tmp_path, 3, 3, dtype, weights, kind)
    part, kept = view.part("train"), [0, 2] if weights else [0, 1, 2]
    first = np.eye(3)[INPUTS[:, 0].astype(int)] if kind == "categorical" else INPUTS[:, :1]
    assert np.array_equal(part.inputs[:], np.hstack([first, INPUTS[:, kept[1:]]]).astype(dtype))
    assert np.array_equal(view.rows("train")[:], part.inputs[:])
    assert part.inputs.shape == (3, view.columns.inputs)
    assert part.inputs[:].dtype == part.targets[:].dtype == dtype
    assert (None if part.weights is None else part.weights.tolist()) == (INPUTS[:, 1].tolist() if weights else None)
    assert all(mapping_of(stored(rows)) is not None for rows in (part.inputs, part.targets))


def test_weights_keep_the_range_of_the_stored_column(tmp_path: Path) -> None:
    save(tmp_path, np.array([[0, 5e-324], [1, 1.7e308]]))
    part = view_of(tmp_path, 2, 2, "float32", "x1").part("train")
    assert part.weights is not None
    assert part.weights.tolist() == [5e-324, 1.7e308]


def test_stored_sums_are_those_of_rows_seen_in_a_wider_dtype(tmp_path: Path) -> None:
    save(tmp_path, INPUTS)
    write_gram(tmp_path / "data", "train", Gram.of(INPUTS, INPUTS[:, :1] + 1))
    narrow, wide = (view_of(tmp_path, 3, 3, dtype, None).part("train") for dtype in ("float32", "float64"))
    assert narrow.gram is not None
    assert wide.gram is not None
    assert np.array_equal(wide.gram.matrix, narrow.gram.matrix)


def test_what_needs_no_change_is_the_memory_map_itself(tmp_path: Path) -> None:
    save(tmp_path, INPUTS)
    part = view_of(tmp_path, 3, 3, "float32", None).part("train")
    assert not isinstance(part.inputs, Selection | OneHotRows)
    assert not isinstance(part.targets, Selection | OneHotRows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large dataset of zeros, which take no room on the disk but in memory; the first row alone has a weight."""
    folder = tmp_path_factory.mktemp("parts")
    (folder / "data").mkdir()
    for name, width in (("inputs", COLUMNS), ("targets", 1), ("numbers", 0)):
        shape: Any = (ROWS, width) if width else (ROWS,)
        array = open_memmap(folder / "data" / f"{name}.npy", mode="w+", dtype=np.float32, shape=shape)
        array[:1] = 1
        array.flush()
    return folder


def test_what_is_held_does_not_grow_with_the_file(folder: Path) -> None:
    taken = list(map(int, printed_by(MEASURE, str(folder)).split()))
    assert len(taken) == len(SEEN) * len(ACTS)
    assert max(taken) < 120 < FILE_MEGABYTES / 2, taken
