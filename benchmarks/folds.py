"""Ten folds of a million rows from sums beside one plain fit with its pass, in turns in one process.

    .venv/bin/python -m benchmarks.folds

Processor time: reading the rows of a fold anew would take ten passes.
"""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from service.cross_validations import sums
from service.datasets.arrangement import Arrangement
from service.datasets.columns import Column
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.learning import notation
from service.learning.evaluation.of_sums import evaluated_by_sums
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.optimisers.second_order import LevenbergMarquardt
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from service.storage.storage import Storage

ROWS, COLUMNS, FOLDS, ROUNDS = 1_000_000, 32, 10, 9
MOST = 1.2
"""The folds may take so many times the fit."""
NETWORK = Network(notation.read(f"Dense({COLUMNS} => 1)"))
RECIPE = Recipe(epochs=3, loss=MSE(), optimiser=LevenbergMarquardt(), path="quadratic")


def main() -> None:
    """Print the seconds of each round, and the median of their ratios."""
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        _store(Path(folder))
        ratios = [_round(Path(folder), number) for number in range(ROUNDS)]
    print(f"ten folds: {median(ratios):.2f} times one fit with its pass (at most {MOST} wanted)")


def _store(folder: Path) -> None:
    """Store a dataset whose target is a linear function of its inputs, with noise."""
    random = np.random.default_rng(0)
    own = folder / "datasets" / "ds_rows"
    own.mkdir(parents=True)
    inputs = random.normal(size=(ROWS, COLUMNS)).astype(np.float32)
    targets = (inputs @ random.normal(size=(COLUMNS, 1)) + random.normal(size=(ROWS, 1))).astype(np.float32)
    for name, values in (("inputs", inputs), ("targets", targets), ("numbers", np.arange(ROWS))):
        np.save(own / f"{name}.npy", values)


def _view(folder: Path) -> DatasetView:
    """Return the dataset as a job opens it: no page of it is mapped."""
    storage = Storage(folder / "datasets", folder / "cache")
    features = [Column(f"x{index}", "numeric") for index in range(COLUMNS)]
    parts: dict[str, Any] = {"train_rows": ROWS, "validation_rows": 0, "test_rows": 0}
    columns: dict[str, Any] = {"features": features, "targets": [Column("y", "numeric")]}
    record = DatasetRecord(id="ds_rows", name="rows", dtype="float32", sha256="", **parts, **columns)
    return DatasetView(storage, Arrangement.as_stored(record), "float32")


def _round(folder: Path, number: int) -> float:
    """Return the ratio of one round, and print its seconds."""
    began = time.process_time()
    _fitted(_view(folder).part("train", sums=False))
    between = time.process_time()
    view = _view(folder)
    found = sums.sums_of(view, f"round {number}", FOLDS, 0)
    for fold in range(FOLDS):
        training = _fitted(sums.unread_of(view, found, fold))
        evaluated_by_sums(NETWORK, training.result(), found.sums[fold], RECIPE.loss)
    plain, folds = between - began, time.process_time() - between
    print(f"one fit with its pass {plain:.3f} s, ten folds {folds:.3f} s", flush=True)
    return folds / plain


def _fitted(part: Part) -> Training:
    training = Training(Problem(NETWORK, part, None, RECIPE), NETWORK.initial(0), fresh=True)
    for _ in training.run():
        pass
    return training


if __name__ == "__main__":
    main()
