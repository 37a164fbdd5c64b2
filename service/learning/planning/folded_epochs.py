"""The number of epochs for few rows, of which folds tell when a network begins to learn them by heart."""

from dataclasses import replace

import numpy as np

from service.learning.arrays import Array, Indices
from service.learning.planning.plan import plan
from service.learning.rows.folds import assigned
from service.learning.rows.one_hot import copied_rows
from service.learning.rows.part import Part
from service.learning.training.events import Diverged, EpochReport
from service.learning.training.problem import Problem
from service.learning.training.recipe import RecipeError
from service.learning.training.training import Training

FOLDS = 5
LEAST_ROWS = 2 * FOLDS
"""Fewer rows are left out one by one."""
MOST_SECONDS = 2.0
"""An estimate of the time of all folds, beyond which none are trained: a request waits for them."""


def folds_of(rows: int) -> int:
    """Return how many folds are made of so many rows."""
    return FOLDS if rows >= LEAST_ROWS else rows


def folded_epochs(problem: Problem, start: Array, *, fresh: bool, seconds: float = MOST_SECONDS) -> int | None:
    """Return the epoch of the recipe at which the rows that each fold holds out have the least loss together.

    None where there are too few rows, or the trainings would take more than `seconds`, diverge, or want other batches.
    Rows count by their weights: a fold of which none counts is left out.
    """
    network, part, recipe = problem.network, problem.train, problem.recipe
    rows, folds = len(part), folds_of(len(part))
    if rows < 3 or folds * _seconds(problem) > seconds:
        return None
    classes = None if part.has_numbers else part.targets[0:rows].argmax(axis=1)
    fold_of_row = assigned(classes, rows, folds, recipe.seed)
    losses = np.zeros(recipe.epochs + 1)
    for fold in range(folds):
        learnt, held = (_rows_of(part, np.flatnonzero(chosen)) for chosen in (fold_of_row != fold, fold_of_row == fold))
        weight = _weight_of(held)
        if not weight:
            continue
        if not _weight_of(learnt):
            return None
        try:
            training = Training(Problem(network, learnt, held, recipe), start, fresh=fresh)
            reports = [event for event in training.run() if isinstance(event, EpochReport)]
        except (Diverged, RecipeError):
            return None
        losses += [weight * (report.validation_loss or 0.0) for report in reports]
    return max(1, int(losses.argmin()))


def _seconds(problem: Problem) -> float:
    """Return the seconds that training on all rows, and judging by as many, are planned to take."""
    rows, coding = len(problem.train), problem.network.coding_of(problem.train.inputs)
    return plan(problem.network, rows, rows, problem.recipe, coding=coding).seconds


def _weight_of(part: Part) -> float:
    return len(part) if part.weights is None else float(part.weights[:].sum())


def _rows_of(part: Part, places: Indices) -> Part:
    """Return some rows of a part, held in memory."""
    weights = None if part.weights is None else part.weights[places]
    inputs, targets = (copied_rows(each, places, each.dtype.name) for each in (part.inputs, part.targets))
    return replace(part, inputs=inputs, targets=targets, weights=weights, gram=None)
