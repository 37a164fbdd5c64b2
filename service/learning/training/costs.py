"""Costs of trainings, counted before they run, at the prices of one core of a server."""

from typing import NamedTuple

from service.learning.layers import nodes
from service.learning.network import Network
from service.learning.training.quadratic import form
from service.learning.training.quadratic.path import has_closed_form
from service.learning.training.recipe import Recipe

SECONDS_TO_BEGIN = 2e-4
SECONDS_PER_REPORT = 1e-6
SECONDS_PER_PRODUCT = 1.1e-11  # a multiplication or addition in a product of matrices
SECONDS_PER_ELEMENT = 1e-10  # one in what goes element by element
SECONDS_PER_CALL = 4e-7
SECONDS_PER_QUADRATIC_OPERATION = 5e-11
CALLS_PER_STEP = 12
CALLS_PER_BLOCK = 8
CALLS_PER_LAYER = 8
OPERATIONS_PER_INPUT = 2
OPERATIONS_PER_VALUE = 12  # forward and back, for every output of a layer
OPERATIONS_PER_PARAMETER = 10  # of an optimiser's step


class Cost(NamedTuple):
    """Multiplications and additions, a call of NumPy counted as OPERATIONS_PER_CALL of them; an estimate of seconds."""

    operations: int
    seconds: float


def cost_of_batches(network: Network, train_rows: int, validation_rows: int, recipe: Recipe) -> Cost:
    """Passes by back-propagation: products take six operations per parameter and row, and two for a validation row."""
    layers = [node for node in nodes(network.root) if not node.children]
    per_row = OPERATIONS_PER_INPUT * network.inputs + OPERATIONS_PER_VALUE * sum(node.outputs for node in layers)
    batch = min(recipe.batch_size or train_rows, train_rows)
    steps = -(-train_rows // batch) if recipe.partial else train_rows // batch
    blocks = steps * -(-batch // network.block_rows) + -(-validation_rows // network.block_rows)
    products = network.parameter_count * (6 * train_rows + 2 * validation_rows)
    elements = per_row * (train_rows + validation_rows // 2)
    elements += OPERATIONS_PER_PARAMETER * network.parameter_count * steps
    calls = CALLS_PER_STEP * steps + (CALLS_PER_BLOCK + CALLS_PER_LAYER * len(layers)) * blocks
    seconds = products * SECONDS_PER_PRODUCT + elements * SECONDS_PER_ELEMENT + calls * SECONDS_PER_CALL
    return Cost(
        recipe.epochs * (products + elements + calls * form.OPERATIONS_PER_CALL),
        SECONDS_TO_BEGIN + recipe.epochs * (seconds + SECONDS_PER_REPORT),
    )


def cost_of_quadratic(
    network: Network, train_rows: int, validation_rows: int, recipe: Recipe, *, sums_are_known: bool
) -> Cost:
    """One pass where sums over the rows are not known, then epochs that cost the same for any number of rows."""
    operations = form.operations(
        train_rows,
        network.inputs,
        network.outputs,
        recipe.epochs,
        closed_form=has_closed_form(recipe),
        gram_is_known=sums_are_known,
        validation_rows=validation_rows,
    )
    seconds = operations * SECONDS_PER_QUADRATIC_OPERATION
    return Cost(operations, SECONDS_TO_BEGIN + seconds + recipe.epochs * SECONDS_PER_REPORT)
