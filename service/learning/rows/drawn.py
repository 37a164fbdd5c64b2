"""Rows of a training part that are drawn to validate the training of the others."""

from dataclasses import dataclass

import numpy as np

from service.learning.arrays import Indices


@dataclass(frozen=True)
class DrawnValidation:
    """A share of the training part that is drawn by a seed, to validate a training of the rest."""

    fraction: float = 0.2
    seed: int = 0

    def count(self, rows: int) -> int:
        """Return the number of rows that are drawn of `rows`; halves round up."""
        return int(np.floor(self.fraction * rows + 0.5))

    def indices(self, rows: int, part: str) -> Indices:
        """Return the rows of the training part that are left, or those drawn for validation, in order."""
        order, count = np.random.default_rng(self.seed).permutation(rows), self.count(rows)
        return np.sort(order[:count] if part == "validation" else order[count:])
