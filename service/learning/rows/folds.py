"""Folds: rows dealt out by a seed, each held out once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Indices


def assigned(classes: NDArray[Any] | None, rows: int, folds: int, seed: int) -> Indices:
    """Return the fold of each row: rows are shuffled and dealt out in turn, those of one class (rows) together, so that
    folds differ by at most one row, and by at most one row of each class.
    """
    order = np.random.default_rng(seed).permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    dealt = np.empty(rows, np.intp)
    dealt[order] = np.arange(rows) % folds
    return dealt
