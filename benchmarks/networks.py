"""Networks trained in mini-batches: one epoch in its steady state, shuffling and the mean loss included."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from benchmarks import ours
from benchmarks.peers import jax_optax, pytorch, scikit_learn
from benchmarks.timing import Measurement, Round, report, take_turns, threads
from service.learning.rows.part import Part

RATE = 0.001


@dataclass(frozen=True)
class Size:
    sizes: tuple[int, ...]
    batch_size: int
    batches: int
    aim: float  # the least ratio of PyTorch's time to ours


SIZES = (
    Size((8, 64, 64, 1), 64, 100, aim=5.0),
    Size((8, 64, 64, 1), 1024, 20, aim=1.0),
    Size((64, 128, 10), 32, 100, aim=5.0),
    Size((784, 256, 128, 10), 128, 30, aim=1.0),
    Size((784, 1024, 1024, 10), 256, 8, aim=0.95),
)


def notation(sizes: tuple[int, ...], activation: str) -> str:
    layers = [f"Dense({a} => {b}, {activation})" for a, b in pairwise(sizes[:-1])]
    return f"Chain({', '.join(layers)}, Dense({sizes[-2]} => {sizes[-1]}))"


def rounds(size: Size, rule: str, activation: str) -> list[Round]:
    random = np.random.default_rng(0)
    rows, outputs = size.batch_size * size.batches, size.sizes[-1]
    inputs = random.standard_normal((rows, size.sizes[0]), dtype=np.float32)
    classes = random.integers(0, outputs, rows)
    numbers = random.standard_normal((rows, 1), dtype=np.float32)
    peer_targets = numbers if outputs == 1 else classes
    our_targets = numbers if outputs == 1 else np.eye(outputs, dtype=np.float32)[classes]
    loss = "mse" if outputs == 1 else "logitcrossentropy"

    peer = (size.sizes, activation, rule, RATE, size.batch_size, inputs, peer_targets)
    part = Part(inputs, our_targets)
    sides = {
        "Descent": ours.epoch(notation(size.sizes, activation), loss, rule, RATE, size.batch_size, part),
        "PyTorch eager": pytorch.epoch(*peer),
        "scikit-learn": scikit_learn.epoch(*peer),
        "JAX jitted": jax_optax.epoch(*peer),
    }
    return take_turns(sides, rounds=9)


def measure() -> Iterator[Measurement]:
    for size, rule, activation in product(SIZES, ("Descent", "Adam"), ("relu", "tanh")):
        yield Measurement(
            f"{'-'.join(map(str, size.sizes))}, batches of {size.batch_size}",
            f"{rule}, {activation}, {size.batches} batches",
            threads(),
            rounds(size, rule, activation),
            {"PyTorch eager": size.aim, "scikit-learn": 1.0, "JAX jitted": 1.0},
        )


if __name__ == "__main__":
    report(measure())
