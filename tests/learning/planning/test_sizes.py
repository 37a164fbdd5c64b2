"""The sizes of trainings that are known before they run, beside those that they have."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from service.learning import notation
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.optimisers import LBFGS, Adam, Descent
from service.learning.planning.sizes import PROCESS, checkpoint_size, memory_of
from service.learning.rows.one_hot import OneHotRows
from service.learning.rows.part import Part
from service.learning.training.paths import PathName
from service.learning.training.problem import Problem
from service.learning.training.recipe import Average, Backoff, Recipe
from service.learning.training.training import Training

ROWS, JUDGED = 3000, 1000
DENSE = "Dense(60 => 40)"
DEEP = "Chain(Dense(60 => 200, tanh), BatchNorm(200, relu), Dense(200 => 100, gelu), Dense(100 => 40))"
WIDE = "Chain(Dense(3001 => 40, tanh), Dense(40 => 40))"
CASES: dict[str, tuple[str, bool, dict[str, Any]]] = {
    "in closed form": (DENSE, False, {}),
    "in closed form and judged": (DENSE, True, {}),
    "in closed form with a way back": (DENSE, True, {"backoff": Backoff(factor=0.5, tries=3)}),
    "in closed form and standardised": (DENSE, False, {"standardise": True}),
    "step by step": (DENSE, True, {"optimiser": Adam(0.001), "path": "quadratic"}),
    "by batches": (DENSE, True, {"batch_size": 128, "shuffle": True}),
    "by batches with a way back": (DEEP, True, {"optimiser": Adam(0.001), "backoff": Backoff(factor=0.5, tries=3)}),
    "of frozen layers": (DEEP, False, {"optimiser": Adam(0.001), "batch_size": 100, "frozen": ("layers.0",)}),
    "of averages": (DEEP, True, {"average": Average(), "keep": "best", "batch_size": 700}),
    "of the best": (DEEP, True, {"keep": "best", "batch_size": 700}),
    "of codes": (WIDE, True, {"batch_size": 700, "shuffle": True, "standardise": True}),
    "of codes at once": (WIDE, False, {"optimiser": LBFGS(memory=2), "epochs": 6}),
}


def part(network: Network, rows: int) -> Part:
    generator = np.random.default_rng(rows)
    if network.inputs > 60:
        codes = np.column_stack([generator.random(rows), generator.integers(0, 3000, rows)]).astype(network.dtype)
        return Part(OneHotRows(codes, [None, 3000], network.dtype), np.ones((rows, 40), network.dtype))
    return Part(generator.random((rows, 60)).astype(network.dtype), np.ones((rows, 40), network.dtype))


def training(case: str) -> tuple[Training, int, int]:
    """Return the training of a case, with the planned bytes of its checkpoint and of its memory."""
    architecture, judged, more = CASES[case]
    network = Network(notation.read(architecture), "float32")
    recipe = Recipe(**{"loss": MSE(), "optimiser": Descent(0.001), "epochs": 4, **more})
    path: PathName = "quadratic" if architecture == DENSE and "batch_size" not in more else "batches"
    path = "second_order" if isinstance(recipe.optimiser, LBFGS) else path
    validation = part(network, JUDGED) if judged else None
    rows = JUDGED if judged else 0
    train = part(network, ROWS)
    made = Training(Problem(network, train, validation, recipe), network.initial(0))
    return (
        made,
        checkpoint_size(network, recipe, path, rows, sums_are_known=False),
        memory_of(network, ROWS, rows, recipe, path, coding=network.coding_of(train.inputs)),
    )


def states(of: Training) -> Iterator[int]:
    yield from (len(save(of.state())) for _ in of.run())


@pytest.mark.parametrize("case", CASES)
def test_no_checkpoint_is_larger_than_was_planned(case: str) -> None:
    made, planned, _ = training(case)
    largest = max(states(made))
    assert planned / 2 < largest <= planned


@pytest.mark.parametrize("case", CASES)
def test_a_training_takes_no_more_memory_than_was_planned(case: str) -> None:
    made, _, planned = training(case)
    tracemalloc.start()
    try:
        for _ in states(made):
            pass
        made.result()
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken <= planned - PROCESS
