"""What a training will take, known before it begins."""

from dataclasses import dataclass
from typing import Literal

from service.learning.network import Network
from service.learning.recipe import Recipe

SECONDS_PER_OPERATION = 2e-11  # of matrix products on one core
SECONDS_PER_CALL = 1e-6
CALLS_PER_LAYER = 8
CALLS_PER_STEP = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """Trainable parameters, how gradients are computed, multiplications and additions in all, a rough time."""

    parameter_count: int
    path: Literal["batches"]
    operations: int
    seconds: float


def plan(network: Network, train_rows: int, validation_rows: int, recipe: Recipe) -> Plan:
    """The plan of training `network` on so many rows by `recipe`; computes nothing but these numbers."""
    forward = 2 * network.parameter_count
    rows = recipe.epochs * (3 * train_rows + validation_rows)
    batch = min(recipe.batch_size or train_rows, train_rows)
    steps = recipe.epochs * -(-train_rows // batch)
    operations = forward * rows + 10 * network.parameter_count * steps
    calls = steps * (CALLS_PER_STEP + CALLS_PER_LAYER * len(network.top))
    return Plan(
        network.parameter_count, "batches", operations, operations * SECONDS_PER_OPERATION + calls * SECONDS_PER_CALL
    )
