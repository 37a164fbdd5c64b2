"""Mean and spread of columns whose rows come block by block."""

import numpy as np
from numpy.typing import NDArray


class ColumnMoments:
    """The mean and Σ (x − mean)² of each column, in float64; blocks merge without cancellation.

    T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances",
    1979.
    """

    def __init__(self, columns: int) -> None:
        self.rows = 0
        self.mean = np.zeros(columns)
        self.squares = np.zeros(columns)

    def add(self, block: NDArray[np.float64]) -> None:
        """Add rows (rows × columns), which are overwritten."""
        before = self.rows
        self.rows += len(block)
        block_mean = block.mean(axis=0)
        block -= block_mean
        step = block_mean - self.mean
        self.squares += np.einsum("ij,ij->j", block, block) + step * step * (before * len(block) / self.rows)
        self.mean += step * (len(block) / self.rows)
