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
from functools import partial
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
from tests.support.scripts import peak_memory, print_from_a_fork

def train(network, vector, part, classes, **options):
    recipe = Recipe(loss=MSE(), optimiser=Adam(), epochs=1, **options)
    list(Training(Problem(network, part, part, recipe), vector).run())

def evaluated(network, vector, part, classes):
    target = Numbers() if classes is None else Classes(("no", "yes"))
    evaluate(network, vector, part, MSE(), [target], link="softmax", worst=1000)

def megabytes_above_the_start(act, classes=None, **options):
    inputs, targets = (np.load(path, mmap_mode="r") for path in sys.argv[1:3])
    if classes:
        inputs, targets = OneHotRows(inputs, classes, "float32"), OneHotRows(targets, [2], "float32")
    network = Network(read(f"Chain(Dense({inputs.shape[1]} => 8, tanh), Dense(8 => {targets.shape[1]}))"))
    vector = network.initial(0)
    before = peak_memory()
    act(network, vector, Part(inputs, targets), classes, **options)
    return peak_memory() - before >> 20

for options in eval(sys.argv[4]):  # the test's own words
    print_from_a_fork(partial(megabytes_above_the_start, globals()[sys.argv[3]], **options))
"""
CLASSES = [None, 4] * 16
TRAININGS: list[dict[str, object]] = [
    {"batch_size": 2048, "shuffle": True},
    {"batch_size": 2048},
    {"batch_size": None},
    {"batch_size": 2048, "shuffle": True, "standardise": True},
    {"batch_size": 2048, "shuffle": True, "standardise": True, "classes": CLASSES},
    {"batch_size": None, "classes": CLASSES},
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A table of zeros, which take no room on the disk but in memory."""
    paths = [tmp_path_factory.mktemp("memory") / name for name in ("inputs.npy", "targets.npy")]
    for path, columns in zip(paths, (32, 1), strict=True):
        open_memmap(path, mode="w+", dtype=np.float32, shape=(ROWS, columns)).flush()
    return paths


def test_a_training_holds_far_less_than_the_file(files: list[Path]) -> None:
    taken = megabytes_above_the_start("train", files, TRAININGS)
    assert max(taken) < FAR_LESS < FILE_MEGABYTES * 2 / 3, taken


def test_so_does_an_evaluation(files: list[Path]) -> None:
    taken = megabytes_above_the_start("evaluated", files, [{}, {"classes": CLASSES}])
    assert max(taken) < FAR_LESS, taken


def megabytes_above_the_start(act: str, files: list[Path], options: list[dict[str, object]]) -> list[int]:
    """The megabytes that the act takes with each of these options, in a fork each."""
    printed = printed_by(READ, *map(str, files), act, repr(options)).split()
    assert len(printed) == len(options)
    return list(map(int, printed))
