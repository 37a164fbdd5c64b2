"""Permutation importance: the rise of the loss when a column's values are dealt out anew among the rows.

L. Breiman, "Random forests", 2001.
"""

from collections.abc import Callable

import numpy as np

from service.learning.arrays import Array


def rises(sample: Array, place: int, loss: Callable[[Array], float], *, repeats: int, seed: tuple[int, ...]) -> Array:
    """Return `loss` of stored rows (rows × columns) with one column dealt out anew, for each repeat, less the loss of
    the rows as they are. `sample` is the same afterwards.
    """
    before = loss(sample)
    kept = sample[:, place].copy()
    found = np.empty(repeats)
    for repeat in range(repeats):
        sample[:, place] = kept[np.random.default_rng((*seed, repeat)).permutation(len(kept))]
        found[repeat] = loss(sample) - before
    sample[:, place] = kept
    return found
