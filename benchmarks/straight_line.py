"""The tutorial "fitting a straight line": 201 epochs of Dense(1 => 1) on six rows, every epoch's loss included."""

from collections.abc import Iterator

import numpy as np

from benchmarks import ours
from benchmarks.peers import jax_optax, pytorch
from benchmarks.timing import Measurement, report, take_turns, threads
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part

EPOCHS, RATE = 201, 0.1
AIMS = {"PyTorch eager": 100.0, "JAX cold": 100.0}
WEIGHT, BIAS = np.array([[0.9066542]], np.float32), np.zeros(1, np.float32)
INPUTS = np.arange(6, dtype=np.float32).reshape(-1, 1)
TARGETS = 4 * INPUTS + 2


def measure() -> Iterator[Measurement]:
    parameters = np.concatenate([WEIGHT.ravel(), BIAS])
    peer = (WEIGHT, BIAS, INPUTS, TARGETS, RATE, EPOCHS)
    peers = {"PyTorch eager": pytorch.run(*peer), "JAX cold": jax_optax.cold_run(*peer)}
    parts = {
        "statistics of the rows included": Part(INPUTS, TARGETS),
        "statistics made when the rows were stored": Part(INPUTS, TARGETS, gram=Gram.of(INPUTS, TARGETS)),
    }
    for setting, part in parts.items():
        sides = {"Descent": ours.run("Dense(1 => 1)", parameters, part, RATE, EPOCHS), **peers}
        for name, run in sides.items():
            losses = run()
            assert len(losses) == EPOCHS + 1, name
            assert np.allclose([losses[0], losses[-1]], [122.64735, 0.003396], rtol=1e-3), name
        yield Measurement("The straight line", setting, threads(), take_turns(sides, rounds=15), AIMS)


if __name__ == "__main__":
    report(measure())
