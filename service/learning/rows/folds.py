"""Folds: rows dealt out by a seed, each held out once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Folds = NDArray[np.uint16]
"""The fold of each row."""
MANY_ROWS = 1 << 17
"""Rows from which, without classes, folds are drawn: to shuffle so many takes three times as long."""
AT_ONCE = 1 << 15
"""Rows drawn at once: memory that is new each time takes longer than the draw."""
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
    """Return a fold drawn for each row by itself, and some rows of those that are too long drawn over to others.

    A drawn number of 16 bits makes some folds likelier by a trifle. In the end that counts for nothing: folds have
    their lengths, and no row is treated unlike another.
    """
    drawn, lacking = np.empty(rows, np.uint16), np.full(folds, rows // folds)
    lacking[: rows % folds] += 1
    for start in range(0, rows, AT_ONCE):
        block = drawn[start : start + AT_ONCE]
        words = random.integers(0, (1 << 64) - 1, -(-len(block) // 4), np.uint64, endpoint=True)
        block[...] = words.view(np.uint16)[: len(block)].astype(np.uint32) * np.uint32(folds) >> np.uint32(16)
        lacking -= np.bincount(block, minlength=folds)
    while lacking.any():
        chosen = random.choice(rows, min(rows, 2 * folds * int(-lacking.min())), replace=False)
        left, too_long = drawn[chosen], np.flatnonzero(lacking < 0).tolist()
        moved = np.concatenate([chosen[left == fold][: -lacking[fold]] for fold in too_long])
        joined = np.repeat(np.arange(folds), np.maximum(lacking, 0))[: len(moved)]
        lacking += np.bincount(drawn[moved], minlength=folds) - np.bincount(joined, minlength=folds)
        drawn[moved] = joined
    return drawn
