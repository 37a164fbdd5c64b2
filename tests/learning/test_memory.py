"""Data larger than memory: what a training holds does not grow with the file."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.format import open_memmap

ROWS = 2_000_000
FILE_MEGABYTES = ROWS * 33 * 4 >> 20

TRAIN = """
import resource, sys
import numpy as np
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import Adam
from service.learning.training import Part, Recipe, Training

part = Part(*(np.load(path, mmap_mode="r") for path in sys.argv[1:3]))
network = Network(read("Chain(Dense(32 => 8, tanh), Dense(8 => 1))"))
options = eval(sys.argv[3])  # the test's own words
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
recipe = Recipe(loss=MSE(), optimiser=Adam(), epochs=1, **options)
list(Training(network, network.initial(0), part, part, recipe).run())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)
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
    ],
    ids=str,
)
def test_a_training_holds_far_less_than_the_file(files: list[Path], options: dict[str, object]) -> None:
    command = [sys.executable, "-c", TRAIN, *map(str, files), repr(options)]
    one_thread = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
    assert int(run.stdout) < 120 < FILE_MEGABYTES / 2
