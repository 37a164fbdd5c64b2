"""A program that trains on the quadratic path for each line with the name of a case, and prints the seconds it took.

`benchmarks.epochs` runs this file by its path, so that `service` comes from the checkout that is measured.
"""

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from service.learning.losses import LOSSES
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import Adam, Descent, Rule
from service.learning.rows.gram import Gram
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training

SHORTEST = 0.05  # seconds of a sample, which short trainings fill by being repeated


def rows(count: int, columns: int, offset: float = 0.0, seed: int = 0) -> Part:
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(count, columns))
    targets = inputs @ np.linspace(-1, 1, columns)[:, None] + random.normal(size=(count, 1))
    inputs += offset
    return Part(inputs, targets, gram=Gram.of(inputs, targets))


def training(rule: Rule, epochs: int, part: Part, validation: Part | None = None) -> Callable[[], object]:
    columns = part.inputs.shape[1]
    network = Network(read(f"Dense({columns} => 1)"), str(part.inputs.dtype))
    recipe = Recipe(loss=LOSSES["mse"](), optimiser=rule, epochs=epochs, path="quadratic")
    return lambda: list(Training(Problem(network, part, validation, recipe), network.initial(0)).run())


def cases() -> dict[str, Callable[[], object]]:
    line = np.arange(6, dtype=np.float32).reshape(-1, 1)
    descent, adam = Descent(eta=0.1), Adam(eta=0.01)
    return {
        "the tutorial, from its rows": training(descent, 201, Part(line, 4 * line + 2)),
        "the tutorial, from stored sums": training(
            descent, 201, Part(line, 4 * line + 2, gram=Gram.of(line, 4 * line + 2))
        ),
        "Adam, 5 columns": training(adam, 1000, rows(1000, 5)),
        "Adam, 5 columns and a validation part": training(adam, 1000, rows(1000, 5), rows(200, 5, seed=1)),
        "Adam, 5 columns with an offset of 1e6": training(adam, 1000, rows(1000, 5, offset=1e6)),
        "Adam, 400 columns": training(adam, 200, rows(2000, 400)),
        "Adam, 400 columns with an offset of 1e6": training(adam, 200, rows(2000, 400, offset=1e6)),
    }


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds of the processor, which other programs on the machine lengthen far less than those of the clock."""
    calls, began = 0, time.process_time()
    while (passed := time.process_time() - began) < SHORTEST or not calls:
        work()
        calls += 1
    return passed / calls


def answers() -> Iterator[str]:
    known = cases()
    yield ";".join(known)
    for line in sys.stdin:
        yield repr(seconds_of(known[line.strip()]))


if __name__ == "__main__":
    for answer in answers():
        print(answer, flush=True)
