"""The thinning of reports: those with the least and the greatest loss of each stretch of epochs stay."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from service.jobs.reports.packing import Matrix, Reports, reports_of

FEWEST_WITH_ENDS = 4
"""Points that hold the first and the last report, and the least and the greatest loss."""


def stretch_of(epochs: int, points: int) -> int:
    """Return the length of stretches of `epochs` epochs that leaves at most `points` reports: 1 where all fit."""
    return 1 if epochs <= points else -(-epochs // max(1, (points - 2) // 2))


@dataclass(frozen=True)
class Row:
    """A report as `Reports` stores it."""

    epoch: int
    values: Matrix

    @property
    def loss(self) -> float:
        return float(self.values[0])


@dataclass
class Extremes:
    """The reports to keep, found in one pass over the blocks; of equal losses the first counts.

    Stretches are counted from epoch `first`; the very first and the very last report are kept too, if `has_ends`.
    """

    first: int
    stretch: int
    has_ends: bool = True
    _ends: dict[str, Row] = field(default_factory=dict)
    _least: dict[int, Row] = field(default_factory=dict)
    _greatest: dict[int, Row] = field(default_factory=dict)

    def take(self, blocks: Iterable[Reports]) -> Reports:
        """Return the extreme reports of all blocks, oldest first."""
        for block in blocks:
            if len(block):
                self._take(block)
        ends = self._ends.values() if self.has_ends else ()
        kept = {row.epoch: row for row in (*self._least.values(), *self._greatest.values(), *ends)}
        return reports_of([(epoch, *kept[epoch].values) for epoch in sorted(kept)])

    def _take(self, block: Reports) -> None:
        self._ends.setdefault("first", _row(block, 0))
        self._ends["last"] = _row(block, -1)
        stretches = (block.epochs - self.first) // self.stretch
        starts = np.flatnonzero(np.diff(stretches, prepend=-1)).tolist()
        for start, stop in zip(starts, [*starts[1:], len(block)], strict=True):
            losses, stretch = block.train_losses[start:stop], int(stretches[start])
            least, greatest = _row(block, start + int(losses.argmin())), _row(block, start + int(losses.argmax()))
            if stretch not in self._least or least.loss < self._least[stretch].loss:
                self._least[stretch] = least
            if stretch not in self._greatest or greatest.loss > self._greatest[stretch].loss:
                self._greatest[stretch] = greatest


def _row(block: Reports, index: int) -> Row:
    return Row(int(block.epochs[index]), block.values[index].copy())  # a view would keep the whole block
