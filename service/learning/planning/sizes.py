"""Sizes of trainings, counted before they run: the bytes of a checkpoint, and those that a worker needs in memory.

Both are upper bounds: what a recipe may need counts in full.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from service.learning.layers import Dense, Node, nodes
from service.learning.network import Network
from service.learning.optimisers import LBFGS, second_order_rule
from service.learning.rows.batches import RUN_BYTES, WINDOW_RUNS
from service.learning.rows.coded import NAMED_AT_ONCE, Coding
from service.learning.training.paths import PathName
from service.learning.training.quadratic.path import has_closed_form
from service.learning.training.quadratic.trajectory import STRETCH_ELEMENTS
from service.learning.training.recipe import Recipe
from service.learning.training.second_order.line_search import MOST_TRIALS
from service.learning.training.second_order.rows import rows_of_block

HEADERS = 2_000
"""Bytes of the names, shapes and single numbers in a checkpoint."""
WIDE = 8
"""Bytes of a number in float64."""
PROCESS = 128 << 20
"""Bytes of a worker that trains nothing, with the room that OpenBLAS works in."""
COPIES_OF_CHECKPOINT = 3
"""The copy of a training's state, the checkpoint that is made of it, and the one that is being written."""
VECTORS = 5
"""Vectors of a training beside those of its checkpoint: the start, scratch, and the result as it is measured."""
BUFFERS_OF_DENSE = 2
BUFFERS_OF_OTHERS = 6
BUFFERS_OF_FORMULA = 24
BUFFERS_OF_LOSS = 6
"""Buffers as large as the outputs, in training."""
SQUARES = 12
"""Matrices of inputs × inputs in float64 that an eigendecomposition, and what is made of it, hold."""
STRETCHES = 12
"""Arrays as large as a stretch of epochs."""
MATRICES = 6
"""Matrices of parameters × parameters of a step by LevenbergMarquardt: sums, curvature, and what it is solved in."""
SQUARES_OF_PARAMETERS = MATRICES + 1 + COPIES_OF_CHECKPOINT
"""The same with those of a checkpoint."""
LOOKED_UP = 4 * 8 * NAMED_AT_ONCE
"""Bytes of weights that codes name, of slopes, and of the places of both, for one size of blocks."""
INDEX = 8
"""Bytes of a row's place in the order of an epoch."""


def checkpoint_size(
    network: Network, recipe: Recipe, path: PathName, validation_rows: int, *, sums_are_known: bool
) -> int:
    """Return the bytes of a checkpoint: with `refit`, of the state of two trainings."""
    trainings = 2 if recipe.refit else 1
    return trainings * _state_size(network, recipe, path, validation_rows, sums_are_known=sums_are_known)


def _state_size(network: Network, recipe: Recipe, path: PathName, validation_rows: int, *, sums_are_known: bool) -> int:
    dtype = np.dtype(network.dtype).itemsize
    best = dtype * network.vector_length if recipe.keeps_best or recipe.backoff is not None else 0
    remembered = sum(len(rule.states()) for rule in recipe.optimiser.rules)
    scaling = 2 * WIDE * (recipe.scales_inputs * network.inputs + recipe.scales_targets * network.outputs)
    if path == "batches":
        vectors = 2 + remembered + (recipe.average is not None)  # two are those of parameters and gradient
        return HEADERS + best + scaling + dtype * network.vector_length * vectors
    if path == "second_order":
        return HEADERS + best + scaling + _of_second_order(network.parameter_count, recipe)
    columns = network.inputs + 1
    sums = 0 if sums_are_known else _sums(network) * (1 + (validation_rows > 0))
    if second_order_rule(recipe.optimiser) is not None:
        return HEADERS + best + scaling + sums + _of_second_order(network.parameter_count, recipe, squares=False)
    if not has_closed_form(recipe):
        return HEADERS + best + scaling + sums + WIDE * network.parameter_count * (1 + remembered)
    places = 1 + (validation_rows > 0)  # in the eigenbasis, by sign and decay: the present one, and a stretch's first
    return HEADERS + best + scaling + sums + WIDE * 2 * (network.parameter_count + columns * places)


def _of_second_order(parameters: int, recipe: Recipe, *, squares: bool = True) -> int:
    """Return the bytes that a rule of second order remembers: vectors, and the sums of a pass with their squares."""
    rule = second_order_rule(recipe.optimiser)
    if isinstance(rule, LBFGS):
        return WIDE * (parameters * (2 * rule.memory + 3) + 3 * MOST_TRIALS)
    return WIDE * (3 * parameters + squares * parameters**2)


def _sums(network: Network) -> int:
    """Return the bytes of the sums over a part's rows, with the reference that they are taken about."""
    columns = network.inputs + 1 + network.outputs
    return WIDE * (columns**2 + 2 * network.inputs**2 + columns * (network.outputs + 2))


def memory_of(
    network: Network,
    train_rows: int,
    validation_rows: int,
    recipe: Recipe,
    path: PathName,
    *,
    weighted: bool = False,
    sums_are_known: bool = False,
    coding: Coding | None = None,
) -> int:
    """Return the bytes of memory that a worker needs for a training; pages of files, which are the system's, aside.

    `coding` is the way in which rows travel. With `refit` the first training is held beside the second.
    """
    if recipe.refit:
        alone = replace(recipe, refit=False)
        parts = (train_rows, validation_rows), (train_rows + validation_rows, 0)
        how: Any = {"weighted": weighted, "sums_are_known": sums_are_known, "coding": coding}
        return sum(memory_of(network, *rows, alone, path, **how) for rows in parts) - PROCESS
    known = checkpoint_size(network, recipe, path, validation_rows, sums_are_known=sums_are_known)
    dtype = np.dtype(network.dtype).itemsize
    vector = dtype * network.vector_length
    held = PROCESS + known * (1 + COPIES_OF_CHECKPOINT) + VECTORS * vector
    weights = 3 * WIDE * train_rows if weighted else 0
    if path == "quadratic":
        squares = WIDE * SQUARES * (network.inputs + 1 + network.outputs) ** 2
        judged = 2 * WIDE * (network.inputs + 1) ** 2 * network.outputs if validation_rows else 0
        return held + 2 * _sums(network) + squares + judged + WIDE * STRETCHES * STRETCH_ELEMENTS
    if path == "second_order":
        return held + weights + _squares(network, recipe, train_rows, coding)
    rows = min(recipe.batch_size or train_rows, train_rows)
    at_once = network.block_rows_of(coding)
    block = rows if _is_whole(network, recipe) else min(rows, at_once)
    more = 2 if train_rows % block else 1  # buffers of the last batch, which is smaller
    judged = min(at_once, max(train_rows, validation_rows))
    judging = judged * _row_of_tape(network, coding, training=False)
    order = INDEX * train_rows + RUN_BYTES * WINDOW_RUNS if recipe.shuffle and rows < train_rows else 0
    frozen = sum(bool(node.slots) for path in recipe.frozen for node in nodes(network.layers_by_path[path]))
    tapes = more * block * (_row_of_tape(network, coding, training=True) + dtype * _of_loss(network, recipe))
    averaging = recipe.average is not None
    looked_up = 0 if coding is None else (more + 1) * LOOKED_UP
    return held + weights + vector * (1 + averaging + more * frozen) + tapes + judging + order + looked_up


def _squares(network: Network, recipe: Recipe, train_rows: int, coding: Coding | None) -> int:
    """Return the bytes of a step of second order: matrices of all parameters, a block's Jacobian, and its tapes."""
    curved = not isinstance(second_order_rule(recipe.optimiser), LBFGS)
    coding = None if curved else coding
    block = rows_of_block(network, recipe.loss, train_rows, coding, curved=curved)
    dtype = np.dtype(network.dtype).itemsize
    tapes = 2 * block * (_row_of_tape(network, coding, training=True) + dtype * _of_loss(network, recipe))
    if not curved:
        tapes += 0 if coding is None else 3 * LOOKED_UP
        return tapes + 8 * WIDE * network.parameter_count
    jacobians = 2 * block * network.parameter_count * (WIDE + dtype)
    return tapes + jacobians + WIDE * (MATRICES * network.parameter_count**2 + 8 * network.parameter_count)


def _is_whole(network: Network, recipe: Recipe) -> bool:
    """Whether a batch is taken at once, however many rows it has."""
    every = list(nodes(network.root))
    gathers = any(not slot.trainable for node in every for slot in node.slots)
    return gathers or not recipe.loss.separable or any(node.layer.couples_rows for node in every)


def _row_of_tape(network: Network, coding: Coding | None, *, training: bool) -> int:
    """Return the bytes that the buffers of a tape hold for each row."""
    dtype = np.dtype(network.dtype).itemsize
    inputs = 2 * (network.inputs * dtype if coding is None else network.coded_row(coding))
    values = sum(node.outputs * _buffers(node) for node in nodes(network.root)) // (1 if training else 2)
    return inputs + dtype * values


def _buffers(node: Node) -> int:
    function = getattr(node.layer, "activation", node.layer)
    if function.name == "expression":
        return BUFFERS_OF_FORMULA
    return BUFFERS_OF_DENSE if isinstance(node.layer, Dense) and function.name == "identity" else BUFFERS_OF_OTHERS


def _of_loss(network: Network, recipe: Recipe) -> int:
    formula = recipe.loss.name == "expression"
    return network.outputs * ((BUFFERS_OF_FORMULA if formula else BUFFERS_OF_LOSS) + 2 * recipe.scales_targets)
