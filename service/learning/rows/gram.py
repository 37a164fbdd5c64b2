"""One pass over the rows: the sums of squares and products from which a linear layer trains, free of cancellation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array, Matrix
from service.learning.rows.group_sums import GroupedRows, GroupSums, block_rows
from service.learning.rows.one_hot import Rows
from service.learning.rows.reference import COLLINEAR, EPSILON, Centring, spread_sample

POOR = 1e3  # a reference whose squares are this many times what they could be is replaced, by a second pass
MISSED = 4 * COLLINEAR  # of directions this much longer than others, which the sample did not have, as well

AfterBlock = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Root:
    """Σ (v · [features, 1] − residual)² = ‖K v − q‖² + rest, for each output with a v of its own.

    A sum of squares keeps its small digits and cannot be negative, where vᵀGv subtracts large numbers. K is rank ×
    inputs + 1, q rank × outputs, rest (outputs), and `inverse` (inputs + 1 × rank) the v of each unit of K v. `lengths`
    (rank, growing) are the directions' where every feature has length 1.
    """

    K: Matrix
    q: Matrix
    rest: Matrix
    inverse: Matrix
    lengths: Matrix

    @classmethod
    def of(cls, matrix: Matrix, inputs: int) -> Self:
        """K comes from the eigenvectors of the block of features, scaled to a unit diagonal.

        Directions that no row has are left out.
        """
        n = inputs + 1
        features, cross = matrix[:n, :n], matrix[:n, n:]
        scale = np.sqrt(np.diagonal(features))
        scale[scale == 0] = 1
        values, vectors = np.linalg.eigh(features / np.outer(scale, scale))
        kept = values > EPSILON * n * values[-1]
        roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
        q = (vectors / roots).T @ (cross / scale[:, None])
        squares = np.diagonal(matrix)[n:]
        rest = np.maximum(squares - np.square(q).sum(axis=0), 0)
        return cls((vectors * roots).T * scale, q, rest, vectors / roots / scale[:, None], roots)


@dataclass(frozen=True, eq=False)
class Gram:
    """G = Σ zzᵀ over the rows, z = [features, 1, residuals] as `Centring` defines them, in float64.

    `matrix` is (inputs + 1 + outputs)², whatever the number of rows, and every loss that a linear layer can have on
    these rows follows from it.
    """

    reference: Centring
    rows: int
    matrix: Matrix

    @classmethod
    def of(cls, inputs: Rows, targets: Rows, after_block: AfterBlock | None = None) -> Self:
        """One pass over inputs (rows × inputs) and targets (rows × outputs), at least one row, all finite.

        A second pass follows where the sample misled: where all rows together allow a fit with a far smaller residual
        (a feature that is almost always zero, say), or two columns that were as good as the same are not quite.
        `after_block` is called with the number of rows done, and may drop the pages behind it.
        """
        if len(inputs) != len(targets):
            raise ValueError(f"inputs have {len(inputs)} rows, targets {len(targets)}")
        gram = cls.about(Centring.of(*spread_sample(inputs, targets)), inputs, targets, after_block)
        better = gram.better_reference()
        return gram if better is None else cls.about(better, inputs, targets, after_block)

    @classmethod
    def about(cls, reference: Centring, inputs: Rows, targets: Rows, after_block: AfterBlock | None = None) -> Self:
        """One pass about a given reference; such sums over different rows merge."""
        return cls(reference, len(inputs), _sum_of_squares(reference, inputs, targets, after_block))

    @classmethod
    def of_groups(cls, reference: Centring, groups: int, blocks: Iterable[GroupedRows]) -> list[Self]:
        """Return the sums of each group in one pass, about a given reference."""
        sums = GroupSums(reference, groups)
        for block in blocks:
            sums.add(block)
        return [cls(reference, *each) for each in sums.result()]

    def merge(self, other: Self) -> Self:
        """The sums over both sets of rows. Raises ValueError when they were taken about different references."""
        if self.reference is not other.reference and not self.reference.same_as(other.reference):
            raise ValueError("sums about different references do not merge")
        return type(self)(self.reference, self.rows + other.rows, self.matrix + other.matrix)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything, as named arrays to be stored beside the rows."""
        return {"rows": np.array([self.rows], np.int64), "matrix": self.matrix, **self.reference.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        return cls(Centring.from_arrays(arrays), int(arrays["rows"][0]), np.asarray(arrays["matrix"], np.float64))

    @property
    def inputs(self) -> int:
        return self.reference.inputs

    @property
    def outputs(self) -> int:
        return self.reference.outputs

    @cached_property
    def root(self) -> Root:
        """The root of these sums, kept with them."""
        return Root.of(self.matrix, self.inputs)

    def better_reference(self) -> Centring | None:
        """Return a reference about which another pass would keep more digits; None where this one will do."""
        reference, lengths = self._better_fit(self.root), self.root.lengths
        if self.reference.basis is not None or MISSED * lengths[0] >= lengths[-1]:
            return reference
        return (reference or self.reference).apart(self.matrix[: self.inputs, : self.inputs] / self.rows)

    def _better_fit(self, root: Root) -> Centring | None:
        step = root.inverse @ root.q
        if self.reference.basis is not None:
            step[:-1][~self.reference.fitted] = 0
        mean_squares = np.diagonal(self.matrix) / self.rows
        features, residuals = mean_squares[: self.inputs], mean_squares[self.inputs + 1 :]
        possible = (np.square(root.K @ step - root.q).sum(axis=0) + root.rest) / self.rows
        rounding = np.square(self.reference.rounding_of_residuals(np.sqrt(features)))
        if np.all(residuals <= POOR * np.maximum(possible, POOR * rounding)):
            return None
        return self.reference.corrected(step)


class _Sums:
    """Sums of squares about a reference over blocks of rows."""

    def __init__(self, reference: Centring, most_rows: int) -> None:
        self._reference = reference
        n, outputs = reference.inputs, reference.outputs
        self._tile = max(1, 2048 // n)
        self._tiled_mean = np.tile(reference.mean, self._tile)
        self._centred = np.empty((most_rows, n))
        self._tail = np.ones((most_rows, 1 + outputs))  # [1, residuals]
        self._total = np.zeros((n + 1 + outputs, n + 1 + outputs))

    def add(self, inputs: Array, targets: Array) -> None:
        x, e, reference = self._centred[: len(inputs)], self._tail[: len(inputs)], self._reference
        n, total = reference.inputs, self._total
        x[...] = inputs
        tiles = len(x) // self._tile * self._tile
        # in long rows: an inner loop over a few columns costs more than its arithmetic
        x[:tiles].reshape(-1, self._tile * n)[...] -= self._tiled_mean
        x[tiles:] -= reference.mean
        np.subtract(targets, reference.level, out=e[:, 1:])
        e[:, 1:] -= x @ reference.fit
        z = x if reference.basis is None else x @ reference.basis
        total[:n, :n] += z.T @ z
        total[:n, n:] += z.T @ e
        total[n:, n:] += e.T @ e

    def result(self) -> Matrix:
        n = self._reference.inputs
        self._total[n:, :n] = self._total[:n, n:].T
        return self._total


def _sum_of_squares(reference: Centring, inputs: Rows, targets: Rows, after_block: AfterBlock | None) -> Matrix:
    rows = block_rows(reference.inputs)
    sums = _Sums(reference, min(rows, len(inputs)))
    for first in range(0, len(inputs), rows):
        block = inputs[first : first + rows]
        sums.add(block, targets[first : first + rows])
        if after_block is not None:
            after_block(first + len(block))
    return sums.result()
