"""Folds: rows dealt out by a seed, each held out once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Folds = NDArray[np.uint16]
"""The fold of each row."""
MANY_ROWS = 1 << 17
"""Rows from which, without classes, folds are dealt by runs."""
RUN = 32
"""Rows that follow each other and are dealt together, of a table of many."""
FEWEST_RUNS = 400
"""Runs of a fold from which they stand for single rows: of a table in the order of its targets, few have few values."""


def assigned(classes: NDArray[Any] | None, rows: int, folds: int, seed: int) -> Folds:
    """Return the fold of each row: rows are shuffled and dealt out in turn, those of one class (rows) together, so that
    folds differ by at most one row, and by at most one row of each class. Many rows without classes, in folds of
    many runs, are dealt by runs, which costs less than a pass over them: there folds differ by at most one run.
    """
    by_runs = classes is None and rows >= max(MANY_ROWS, folds * FEWEST_RUNS * RUN)
    order = np.random.default_rng(seed).permutation(-(-rows // RUN) if by_runs else rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    dealt = np.empty(len(order), np.uint16)
    dealt[order] = np.arange(len(order)) % folds
    return np.repeat(dealt, RUN)[:rows] if by_runs else dealt
