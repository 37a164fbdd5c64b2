"""Costs of trainings, counted before they run: operations, and seconds at the prices of this process."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from service.learning.layers import Dense, nodes
from service.learning.layers.activations import Activation
from service.learning.network import Network
from service.learning.optimisers import LBFGS, LevenbergMarquardt, second_order_rule
from service.learning.rows.coded import Coding
from service.learning.training.prices import prices
from service.learning.training.quadratic import form
from service.learning.training.quadratic.path import has_closed_form
from service.learning.training.recipe import Recipe

CALLS_PER_STEP = 12
CALLS_PER_BLOCK = 8
CALLS_PER_LAYER = 8
OPERATIONS_PER_INPUT = 2
OPERATIONS_PER_VALUE = 12  # forward and back, for every output of a layer
OPERATIONS_PER_PARAMETER = 10  # of an optimiser's step
OPERATIONS_PER_WEIGHT_APART = 8  # of the gradient of a block in which most categories do not occur

SECONDS_OF_A_JOB = 0.02  # its claim, its rows, and the transaction of its version
CALLS_OF_ONE = 2  # calls of the cheapest kind that one takes as long as
CALLS_PER_REPORT = 10
CALLS_OF_A_MEASURE = 100
CALLS_PER_RULE = 12
CALLS_OF_DESCENT = 4
CALLS_PER_FUNCTION = 4
CALLS_PER_OTHER_LAYER = 30
CALLS_PER_CODED_COLUMN = 24
OPERATIONS_PER_CODED_VALUE = 40  # a weight that is looked up, and a slope that is added where it belongs
OPERATIONS_PER_CURVE = 30  # of a function that is no straight line, forward and back
TRIALS = 1.5  # passes for a step that is kept
OPERATIONS_PER_QUADRATIC = 4  # in products of matrices, for one on the quadratic path


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiplications and additions, a call of NumPy counted as OPERATIONS_PER_CALL of them; an estimate of seconds."""

    operations: int
    estimate: Callable[[], float]
    """Seconds of all epochs: paths are chosen by operations alone, and a worker needs no prices."""

    @property
    def seconds(self) -> float:
        """Seconds of the job."""
        return SECONDS_OF_A_JOB + self.estimate()


def cost_of_batches(
    network: Network, train_rows: int, validation_rows: int, recipe: Recipe, coding: Coding | None = None
) -> Cost:
    """Passes by back-propagation: products take six operations per parameter and row, and two for a validation row.

    Of rows that travel as codes, only the weights that the codes name take part.
    """
    if recipe.average is not None:  # which is measured over all rows, too
        validation_rows += train_rows
    layers = [node for node in nodes(network.root) if not node.children]
    inputs, apart = _inputs(network, coding), sum(network.weights_apart(coding).values())
    per_row = OPERATIONS_PER_INPUT * inputs + OPERATIONS_PER_VALUE * sum(node.outputs for node in layers)
    batch = min(recipe.batch_size or train_rows, train_rows)
    steps = -(-train_rows // batch) if recipe.partial else train_rows // batch
    at_once = network.block_rows_of(coding)
    blocks = steps * -(-batch // at_once) + -(-validation_rows // at_once)
    moving = _moving(network, recipe, coding)
    products = moving.products * train_rows + 2 * (network.parameter_count - apart) * validation_rows
    products += _products_of_rules(network, recipe) * steps
    elements = per_row * (train_rows + validation_rows // 2)
    elements += OPERATIONS_PER_PARAMETER * moving.parameters * steps + OPERATIONS_PER_WEIGHT_APART * apart * blocks
    calls = CALLS_PER_STEP * steps + (CALLS_PER_BLOCK + CALLS_PER_LAYER * len(layers)) * blocks
    return Cost(
        recipe.epochs * (products + elements + calls * form.OPERATIONS_PER_CALL),
        lambda: recipe.epochs * _seconds_of_an_epoch(network, train_rows, validation_rows, recipe, steps, coding),
    )


def cost_of_second_order(
    network: Network, train_rows: int, validation_rows: int, recipe: Recipe, coding: Coding | None = None
) -> Cost:
    """Passes over all rows and, for LevenbergMarquardt, products and a solution as wide as there are parameters.

    Every step is counted as one pass and a half: some are tried and taken back.
    """
    rule = second_order_rule(recipe.optimiser)
    coding = None if isinstance(rule, LevenbergMarquardt) else coding
    passes = cost_of_batches(network, train_rows, validation_rows, replace(recipe, batch_size=None), coding)
    each = 0
    if isinstance(rule, LevenbergMarquardt):
        width = network.parameter_count
        each = network.outputs * train_rows * width * (width + OPERATIONS_PER_VALUE) + width**3
    elif isinstance(rule, LBFGS):
        each = 4 * rule.memory * network.parameter_count
    return Cost(
        int(TRIALS * (passes.operations + recipe.epochs * each)),
        lambda: TRIALS * (passes.estimate() + recipe.epochs * each * prices().product),
    )


class Moving(NamedTuple):
    """The parameters that are trained, and the operations of a training row in products with all of them."""

    parameters: int
    products: int


def _inputs(network: Network, coding: Coding | None) -> int:
    """Return how many numbers and codes a row has as it travels."""
    return network.inputs if coding is None else coding.width


def _moving(network: Network, recipe: Recipe, coding: Coding | None) -> Moving:
    """Count six operations per parameter and row: two of them forward, two for its gradient, two for the layer before.

    Frozen layers have no gradients, and where all before are frozen, too, nobody needs the one of their inputs.
    """
    frozen = network.arrays_of(recipe.frozen)
    apart = network.weights_apart(coding)
    parameters = products = 0
    for node in nodes(network.root):
        sizes = {slot.start: slot.size for slot in node.slots if slot.trainable}
        busy = {start: size - apart.get(start, 0) for start, size in sizes.items()}
        held = frozen & sizes.keys()
        products += 6 * sum(busy.values()) - (2 if parameters else 4) * sum(busy[start] for start in held)
        parameters += sum(size for start, size in sizes.items() if start not in held)
    return Moving(parameters, products)


def _products_of_rules(network: Network, recipe: Recipe) -> int:
    weights = network.hidden_weights.values()
    return sum(rule.products(*shape) for rule in recipe.optimiser.rules for shape in weights)


def _seconds_of_an_epoch(
    network: Network, train_rows: int, validation_rows: int, recipe: Recipe, steps: int, coding: Coding | None
) -> float:
    price = prices()
    layers = [node for node in nodes(network.root) if not node.children]
    curved = [node for node in layers if getattr(node.layer, "activation", node.layer).name != "identity"]
    others = [node for node in layers if not isinstance(node.layer, Dense | Activation)]
    batch = min(recipe.batch_size or train_rows, train_rows)
    of_rule = sum(CALLS_PER_RULE if rule.recurrence is None else CALLS_OF_DESCENT for rule in recipe.optimiser.rules)
    of_block = CALLS_PER_BLOCK + CALLS_PER_LAYER * len(layers) + CALLS_PER_FUNCTION * len(curved)
    of_block += CALLS_PER_OTHER_LAYER * len(others)
    at_once = network.block_rows_of(coding)
    of_block += 0 if coding is None else CALLS_PER_CODED_COLUMN * len(coding.spans)
    blocks = steps * -(-batch // at_once)
    calls = CALLS_PER_REPORT + (CALLS_PER_STEP + of_rule) * steps + of_block * blocks
    if validation_rows:
        calls += CALLS_OF_A_MEASURE + of_block * -(-validation_rows // at_once)
    rows = train_rows + validation_rows / 3
    per_row = 4 * _inputs(network, coding) + 6 * sum(node.outputs for node in layers)
    per_row += OPERATIONS_PER_CODED_VALUE * _coded_values(network, coding)
    per_row += OPERATIONS_PER_CURVE * sum(node.outputs for node in (*curved, *others))
    moving, apart = _moving(network, recipe, coding), sum(network.weights_apart(coding).values())
    elements = per_row * rows + (2 + of_rule) * moving.parameters * steps + OPERATIONS_PER_WEIGHT_APART * apart * blocks
    products = moving.products * train_rows + 2 * (network.parameter_count - apart) * validation_rows
    products += _products_of_rules(network, recipe) * steps
    return calls * CALLS_OF_ONE * price.call + products * price.product + elements * price.element


def _coded_values(network: Network, coding: Coding | None) -> int:
    """Return how many weights the codes of a row name."""
    if coding is None:
        return 0
    apart = sum(network.weights_apart(coding).values())
    return len(coding.spans) * apart // (network.inputs - coding.width)


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
    calls = recipe.epochs * CALLS_PER_REPORT * CALLS_OF_ONE
    return Cost(operations, lambda: operations * OPERATIONS_PER_QUADRATIC * prices().product + calls * prices().call)
