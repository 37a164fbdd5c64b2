"""Linear regression on 1,000,000 × 32: 200 epochs of full-batch gradient descent, beside one pass over the data."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import ours
from benchmarks.peers import pytorch
from benchmarks.timing import Measurement, report, take_turns, threads
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part

EPOCHS, RATE, COLUMNS = 200, 0.1, 32


def data(rows: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    random = np.random.default_rng(0)
    inputs = random.standard_normal((rows, COLUMNS), dtype=np.float32)
    noise = random.standard_normal((rows, 1), dtype=np.float32)
    return inputs, inputs @ np.linspace(-1, 1, COLUMNS, dtype=np.float32).reshape(-1, 1) + 0.1 * noise


def measure() -> Iterator[Measurement]:
    inputs, targets = data(1_000_000)
    weight, bias = np.zeros((1, COLUMNS), np.float32), np.zeros(1, np.float32)
    parameters = np.zeros(COLUMNS + 1, np.float32)
    sides: dict[str, Callable[[], Any]] = {
        "Descent": ours.run(f"Dense({COLUMNS} => 1)", parameters, Part(inputs, targets), RATE, EPOCHS),
        "PyTorch eager": pytorch.run(weight, bias, inputs, targets, RATE, EPOCHS),
        "the pass alone": lambda: Gram.of(inputs, targets),
    }
    assert np.allclose(sides["Descent"](), sides["PyTorch eager"](), rtol=1e-3)
    aims = {"PyTorch eager": 40.0, "the pass alone": 1 / 1.5}
    setting = f"1,000,000 rows, {COLUMNS} columns, {EPOCHS} epochs"
    yield Measurement("Linear regression", setting, threads(), take_turns(sides, rounds=5), aims)


if __name__ == "__main__":
    report(measure())
