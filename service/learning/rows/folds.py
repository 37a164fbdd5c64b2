"""Folds: rows dealt out by a seed, each held out once."""

import numpy as np

from service.learning.arrays import Array, Indices


def assigned(classes: Array | None, rows: int, folds: int, seed: int) -> Indices:
    """Return the fold of each row: rows are shuffled and dealt out in turn, those of one class (rows) together, so that
    folds differ by at most one row, and by at most one row of each class.
    """
    order = np.random.default_rng(seed).permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    dealt = np.empty(rows, np.intp)
    dealt[order] = np.arange(rows) % folds
    return dealt
