"""Sums of squares and products over rows of several groups, in a pass that has few rows of one at a time."""

from collections.abc import Sequence
from functools import cache
from math import isqrt
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_info

from service.learning.arrays import Array, Matrix
from service.learning.rows.reference import Centring

BLOCK_BYTES = 1 << 20
"""Bytes of float64 of a block."""
TOGETHER = 4
"""Blocks of a pass whose rows are told apart together: they lie in a cache, as stored."""
SMALL_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")
"""OpenBLAS's kernels with AVX-512: these have a way of their own for small products."""
SMALL_PRODUCT = 10**6
"""The most multiplications of a small product."""
FEW_ROWS = 256
"""A small product of fewer rows costs more than half a symmetric one."""


def block_rows(inputs: int) -> int:
    """Return the rows of a block, which stays in a core's cache between the steps of the pass."""
    tile = max(1, 2048 // inputs)
    return max(512, BLOCK_BYTES // (8 * inputs) // tile * tile)


def rows_at_once(inputs: int) -> int:
    """Return the most rows that are added at a time: two blocks of them lie in a cache, and those that they are of."""
    return block_rows(inputs) // 2


def stretch_rows(inputs: int, outputs: int, groups: int) -> int:
    """Return the rows of a pass that are told apart together, so few that nearly all products are small, where rows
    are drawn.
    """
    most = _most_rows(inputs, outputs)
    return min(TOGETHER * block_rows(inputs), groups * (most - 4 * isqrt(most)))


class GroupedRows(NamedTuple):
    """At most `rows_at_once` rows, those of one group after those of another."""

    inputs: Array
    targets: Array
    groups: Sequence[tuple[int, int]]
    """Each group, and how many of the rows are of it."""


class GroupSums:
    """Sums of z zᵀ about a reference, z = [1, features, residuals].

    A product of z with all of it but the ones is not symmetric to NumPy, which would call a kernel that takes half as
    long again for so few rows; and the sum that it leaves out is the number of rows.
    """

    def __init__(self, reference: Centring, groups: int) -> None:
        self._reference = reference
        n, outputs = reference.inputs, reference.outputs
        width = 1 + n + outputs
        self._tile = max(1, 2048 // width)
        whole = -(-rows_at_once(n) // self._tile)
        self._z = np.ones((whole * self._tile, width))
        self._tiles = self._z.reshape(whole, self._tile * width)
        self._offsets = np.tile(np.concatenate([[0.0], reference.mean, reference.level]), self._tile)
        self._most = _most_rows(n, outputs)
        self._first = 1 if _is_small(width) else 0
        self._totals = np.zeros((groups, width, width))
        self._into = [total[self._first :] for total in self._totals]
        self._rows = [0] * groups

    def add(self, block: GroupedRows) -> None:
        """Add rows to the sums of their groups."""
        count, n = len(block.inputs), self._reference.inputs
        z = self._z[:count]
        x, e = z[:, 1 : n + 1], z[:, n + 1 :]
        x[...] = block.inputs
        e[...] = block.targets
        # in long rows: an inner loop over a few columns costs more than its arithmetic; rows behind are overwritten
        self._tiles[: -(-count // self._tile)] -= self._offsets
        e -= x @ self._reference.fit
        if self._reference.basis is not None:
            x[...] = x @ self._reference.basis
        begin = 0
        for group, rows in block.groups:
            self._rows[group] += rows
            into, end = self._into[group], begin + rows
            for first in range(begin, end, self._most):
                run = z[first : min(first + self._most, end)]
                into += run[:, self._first :].T @ run
            begin = end

    def result(self) -> list[tuple[int, Matrix]]:
        """Return the number of rows and the sums of each group, in the order [features, 1, residuals]."""
        n = self._reference.inputs
        order = [*range(1, n + 1), 0, *range(n + 1, self._totals.shape[1])]
        self._totals[:, 0, 0] = self._rows
        lower = np.tril(self._totals, -1)
        whole = np.tril(self._totals) + lower.transpose(0, 2, 1)
        return list(zip(self._rows, whole[:, order][:, :, order], strict=True))


def _most_rows(inputs: int, outputs: int) -> int:
    """Return the most rows of a product."""
    width, most = 1 + inputs + outputs, rows_at_once(inputs)
    return min(most, SMALL_PRODUCT // (width * (width - 1))) if _is_small(width) else most


def _is_small(width: int) -> bool:
    """Whether products of so many columns, of some hundred rows, are small to the kernel at work."""
    return FEW_ROWS * width * (width - 1) <= SMALL_PRODUCT and _kernel() in SMALL_KERNELS


@cache
def _kernel() -> str | None:
    """Return the kernel behind NumPy's products of matrices."""
    kernels = (each.get("architecture") for each in threadpool_info() if each["user_api"] == "blas")
    return next(kernels, None)
