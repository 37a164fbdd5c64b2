"""Data larger than memory: the memory of a training does not grow with the file."""

from pathlib import Path

import numpy as np
import pytest
from numpy.lib.format import open_memmap

from tests.support.scripts import printed_by

ROWS = 1_000_000
FILE_MEGABYTES = ROWS * 33 * 4 >> 20
FAR_LESS = 80
"""Megabytes of memory, far fewer than the file has."""

READ = """
import sys
import numpy as np
from service.learning.rows.one_hot import OneHotRows
from service.learning.evaluation.evaluation import Classes, Numbers, evaluate
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import Adam
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.scripts import peak_memory

inputs, targets = (np.load(path, mmap_mode="r") for path in sys.argv[1:3])
options = eval(sys.argv[3])  # the test's own words
if classes := options.pop("classes", None):
    inputs, targets = OneHotRows(inputs, classes, "float32"), OneHotRows(targets, [2], "float32")
part = Part(inputs, targets)
network = Network(read(f"Chain(Dense({inputs.shape[1]} => 8, tanh), Dense(8 => {targets.shape[1]}))"))
vector = network.initial(0)
before = peak_memory()
{act}
print(peak_memory() - before >> 20)
"""
TRAIN = """
recipe = Recipe(loss=MSE(), optimiser=Adam(), epochs=1, **options)
list(Training(Problem(network, part, part, recipe), vector).run())
"""
EVALUATE = """
target = Numbers() if classes is None else Classes(("no", "yes"))
evaluate(network, vector, part, MSE(), [target], link="softmax", worst=1000)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A table of zeros, which take no room on the disk but in memory."""
    paths = [tmp_path_factory.mktemp("memory") / name for name in ("inputs.npy", "targets.npy")]
    for path, columns in zip(paths, (32, 1), strict=True):
        open_memmap(path, mode="w+", dtype=np.float32, shape=(ROWS, columns)).flush()
    return paths


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 2048, "shuffle": True},
        {"batch_size": 2048},
        {"batch_size": None},
        {"batch_size": 2048, "shuffle": True, "standardise": True},
        {"batch_size": 2048, "shuffle": True, "standardise": True, "classes": [None, 4] * 16},
        {"batch_size": None, "classes": [None, 4] * 16},
    ],
    ids=str,
)
def test_a_training_holds_far_less_than_the_file(files: list[Path], options: dict[str, object]) -> None:
    assert megabytes_above_the_start(TRAIN, files, options) < FAR_LESS < FILE_MEGABYTES * 2 / 3


@pytest.mark.parametrize("options", [{}, {"classes": [None, 4] * 16}], ids=str)
def test_so_does_an_evaluation(files: list[Path], options: dict[str, object]) -> None:
    assert megabytes_above_the_start(EVALUATE, files, options) < FAR_LESS


def megabytes_above_the_start(act: str, files: list[Path], options: dict[str, object]) -> int:
    return int(printed_by(READ.replace("{act}", act), *map(str, files), repr(options)))
