"""The tutorial "fitting a straight line": 201 epochs of Dense(1 => 1) on six rows, every epoch's loss included."""

from collections.abc import Iterator

import numpy as np

from benchmarks import ours
from benchmarks.peers import jax_optax, pytorch
from benchmarks.timing import Measurement, medians, report, threads
from service.learning.training import Part

EPOCHS, RATE = 201, 0.1
WEIGHT, BIAS = np.array([[0.9066542]], np.float32), np.zeros(1, np.float32)
INPUTS = np.arange(6, dtype=np.float32).reshape(-1, 1)
TARGETS = 4 * INPUTS + 2


def measure() -> Iterator[Measurement]:
    parameters = np.concatenate([WEIGHT.ravel(), BIAS])
    peer = (WEIGHT, BIAS, INPUTS, TARGETS, RATE, EPOCHS)
    sides = {
        "Descent": ours.run("Dense(1 => 1)", parameters, Part(INPUTS, TARGETS), RATE, EPOCHS),
        "PyTorch eager": pytorch.run(*peer),
        "JAX cold": jax_optax.cold_run(*peer),
    }
    for name, run in sides.items():
        losses = run()
        assert np.allclose([losses[0], losses[-1]], [122.64735, 0.003396], rtol=1e-3), name
    aims = {"PyTorch eager": 100.0, "JAX cold": 100.0}
    yield Measurement("The straight line", "201 epochs, 6 rows", threads(), medians(sides, rounds=15), aims)


if __name__ == "__main__":
    report(measure())
