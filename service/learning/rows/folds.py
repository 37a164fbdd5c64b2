"""Folds: rows dealt out by a seed, each held out once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Folds = NDArray[np.uint16]
"""The fold of each row."""
MANY_ROWS = 1 << 17
"""Rows from which, without classes, folds are drawn: to shuffle so many takes three times as long."""
MANY_FOLDS = 32
"""Folds above which rows are shuffled nevertheless: a draw is made even fold by fold."""


def assigned(classes: NDArray[Any] | None, rows: int, folds: int, seed: int) -> Folds:
    """Return the fold of each row, all ways to deal them being as likely: folds differ by at most one row, and by at
    most one row of each class (rows).
    """
    random = np.random.default_rng(seed)
    if classes is None and rows >= MANY_ROWS and folds <= MANY_FOLDS:
        return _drawn(random, rows, folds)
    order = random.permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    dealt = np.empty(rows, np.uint16)
    dealt[order] = np.arange(rows) % folds
    return dealt


def _drawn(random: np.random.Generator, rows: int, folds: int) -> Folds:
    """Return a fold drawn for each row by itself, and some rows of those that are too long drawn over to others."""
    drawn = random.integers(0, folds, rows, np.uint16)
    excess = np.bincount(drawn, minlength=folds) - rows // folds
    excess[: rows % folds] -= 1
    moved = [
        random.choice(np.flatnonzero(drawn == fold), excess[fold], replace=False)
        for fold in np.flatnonzero(excess > 0).tolist()
    ]
    if moved:
        drawn[random.permutation(np.concatenate(moved))] = np.repeat(np.arange(folds), np.maximum(-excess, 0))
    return drawn
