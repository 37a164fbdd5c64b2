"""The suggested network and the chosen recipe on a table, as the service has them for `auto`."""

from dataclasses import replace
from time import process_time

import numpy as np

from benchmarks.auto.peer import Outcome
from benchmarks.auto.tables import Places, Table
from service.learning.arrays import Array
from service.learning.losses import MSE
from service.learning.network import Network
from service.learning.notation import read
from service.learning.optimisers import Adam
from service.learning.planning.architectures import suggested
from service.learning.planning.chosen_recipe import FEWEST_TO_DRAW, Kind, chosen, share_drawn
from service.learning.planning.folded_epochs import folded_epochs
from service.learning.rows.drawn import DrawnValidation
from service.learning.rows.one_hot import expand
from service.learning.rows.part import Part
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.refit import training_of

DTYPE = "float32"


def measured(table: Table, seed: int) -> Outcome:
    """Return the outcome on one split."""
    train, test = table.split(seed)
    inputs, targets = encoded(table)
    began = process_time()
    network, parameters = trained(table, inputs[train], targets[train], seed)
    seconds = process_time() - began
    outputs = network.predict(parameters, inputs[test])
    return Outcome(score(outputs, targets[test], classes=table.has_classes), seconds)


def encoded(table: Table) -> tuple[Array, Array]:
    """Return inputs and targets as numbers, texts and classes as one-hot."""
    columns, counts = [], []
    for column in table.features.values():
        words, codes = (None, column) if column.dtype.kind in "fiu" else np.unique(column, return_inverse=True)
        columns.append(codes.astype(np.float64))
        counts.append(None if words is None else len(words))
    inputs = expand(np.column_stack(columns), counts, DTYPE)
    if not table.has_classes:
        return inputs, table.target.astype(DTYPE).reshape(-1, 1)
    classes, codes = np.unique(table.target, return_inverse=True)
    return inputs, np.eye(len(classes), dtype=DTYPE)[codes]


def trained(table: Table, inputs: Array, targets: Array, seed: int) -> tuple[Network, Array]:
    """Return the network and its parameters, learnt from these rows alone."""
    rows = len(inputs)
    network = Network(read(suggested(inputs.shape[1], targets.shape[1], rows).architecture), DTYPE)
    draws = rows >= FEWEST_TO_DRAW
    drawn = DrawnValidation(share_drawn(rows), seed)
    left = rows - drawn.count(rows) if draws else rows
    base = Recipe(loss=MSE(), optimiser=Adam(), epochs=1, seed=seed)
    kinds: list[Kind] = ["categorical" if table.has_classes else "numeric"]
    recipe = chosen(base, network, kinds, left, validates=draws, draws=draws)

    def part(places: Places) -> Part:
        return Part(inputs[places], targets[places], numbers=(not table.has_classes,) * targets.shape[1])

    start = network.initial(seed)
    if draws:
        parts = part(drawn.indices(rows, "train")), part(drawn.indices(rows, "validation"))
        problem = Problem(network, *parts, recipe, part(np.arange(rows)))
    else:
        problem = Problem(network, part(np.arange(rows)), None, recipe)
        epochs = folded_epochs(problem, start, fresh=True)
        problem = replace(problem, recipe=replace(recipe, epochs=epochs or recipe.epochs))
    training = training_of(problem, start, fresh=True)
    for _ in training.run():
        pass
    return network, training.result()


def score(outputs: Array, targets: Array, *, classes: bool) -> float:
    """The share of right classes, or R²."""
    if classes:
        return float((outputs.argmax(axis=1) == targets.argmax(axis=1)).mean())
    wide = targets.astype(np.float64)
    return float(1 - np.square(outputs - wide).sum() / np.square(wide - wide.mean(axis=0)).sum())
