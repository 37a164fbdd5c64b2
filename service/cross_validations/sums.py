"""One pass over the rows of a cross-validation: the sums of each fold, of which each training gets those of the others.

A worker keeps them for its next fold. Sums of other folds are added up, and not taken from a total, which would leave
rounding.
"""

from collections.abc import Iterator
from functools import cache, partial, reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from service.cross_validations.folds import Places, Pool, RoomForRows, assigned_of, learnt_of
from service.datasets.view import DatasetView
from service.learning.arrays import Matrix
from service.learning.rows.coded import Coding
from service.learning.rows.folds import MANY_ROWS, Folds
from service.learning.rows.gram import Gram
from service.learning.rows.group_sums import GroupedRows, rows_at_once, stretch_rows
from service.learning.rows.later import LaterRows
from service.learning.rows.part import Part
from service.learning.rows.reference import Centring, spread_sample
from service.storage.storage import Arrays

MOST_ROWS = 4_000_000
SHORT = 1e-3
"""Share of its length in all rows below which a direction may be rounding in those without a fold."""
MOST_BYTES = 1 << 26
"""Bytes of sums that a worker keeps."""


class FoldSums(NamedTuple):
    """The pooled rows, the fold of each, and the sums of each fold."""

    pool: Pool
    fold_of_row: Folds
    sums: list[Gram]
    lengths: Matrix
    """Those of the directions of all rows."""

    def held(self, fold: int) -> Places:
        """Return the rows of a fold."""
        return self.pool.at(np.flatnonzero(self.fold_of_row == fold))


_kept: dict[str, FoldSums] = {}
"""Those of the last cross-validation, by its id."""


def can_be_kept(view: DatasetView, folds: int) -> bool:
    """Whether the sums are of few enough numbers, and the rows without weights."""
    dataset, size = view.dataset, view.columns.inputs + view.columns.outputs + 1
    rows = dataset.train_rows + dataset.validation_rows
    return not view.is_weighted and view.drawn is None and rows <= MOST_ROWS and folds * size * size * 8 <= MOST_BYTES


def sums_of(view: DatasetView, id: str, folds: int, seed: int) -> FoldSums:
    """Return the sums of a cross-validation, by its id."""
    if id not in _kept:
        found = _summed(view, folds, seed)
        _kept.clear()
        _kept[id] = found
    return _kept[id]


def tell_enough(view: DatasetView, sums: FoldSums) -> bool:
    """Whether the sums stand for the rows in a judgement: of targets that are numbers, and of so many rows that reading
    them once more costs half a pass.
    """
    return sums.pool.rows >= MANY_ROWS and all(each.kind == "numeric" for each in view.columns.target_columns)


def _summed(view: DatasetView, folds: int, seed: int) -> FoldSums:
    pool = Pool(view)
    fold_of_row = assigned_of(view, pool, folds, seed)
    kept, last = view.arrays, pool.rows
    everything = view.seen(Arrays(kept.inputs[:last], kept.targets[:last], kept.numbers[:last]))
    reference = Centring.of(*spread_sample(everything.inputs, everything.targets))
    blocks = partial(_blocks, view, pool, fold_of_row, folds)
    sums = Gram.of_groups(reference, folds, blocks())
    total = reduce(Gram.merge, sums)
    better = total.better_reference()
    if better is not None:
        sums = Gram.of_groups(better, folds, blocks())
        total = reduce(Gram.merge, sums)
    return FoldSums(pool, fold_of_row, sums, total.root.lengths)


def _blocks(view: DatasetView, pool: Pool, fold_of_row: Folds, folds: int) -> Iterator[GroupedRows]:
    """Yield rows by their folds, from stretches of the file that lie in a cache meanwhile. The next block takes the
    place of one.
    """
    most, together = rows_at_once(view.columns.inputs), stretch_rows(view.columns.inputs, view.columns.outputs, folds)
    room, next_folds = RoomForRows(view, min(most, pool.rows)), np.arange(1, folds + 1, dtype=np.min_scalar_type(folds))
    for start in range(0, pool.rows, together):
        dealt = fold_of_row[start : start + together].astype(next_folds.dtype)
        order = np.argsort(dealt, kind="stable")
        places, ends = pool.at(order + start), np.searchsorted(dealt[order], next_folds)
        for begin, end, groups in _cut([0, *ends.tolist()], most):
            yield GroupedRows(*room.taken(places[begin:end]), groups)


def _cut(ends: list[int], most: int) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield the bounds of so many rows at most, and the folds of these; a fold is cut only where it is longer."""
    begin, groups = 0, list[tuple[int, int]]()
    for fold, (first, end) in enumerate(pairwise(ends)):
        if groups and end - begin > most:
            yield begin, first, groups
            begin, groups = first, []
        while end - begin > most:
            yield begin, begin + most, [(fold, most)]
            begin += most
        groups.append((fold, end - max(begin, first)))
    yield begin, ends[-1], groups


def _serve(others: Gram, lengths: Matrix) -> bool:
    """Whether rows without one fold lack no direction that all rows have, nor need another reference: rounding would
    stand in its place.
    """
    mine = others.root
    has_all = len(mine.lengths) == len(lengths) and mine.lengths[0] > SHORT * lengths[0]
    return bool(has_all) and others.better_reference() is None


def unread_of(view: DatasetView, sums: FoldSums, number: int) -> Part:
    """Return the rows outside of fold `number`, with the sums of the others; read where these are not enough."""

    @cache
    def rows() -> Part:
        return learnt_of(view, sums.pool.at(np.flatnonzero(sums.fold_of_row != number)))

    others = reduce(Gram.merge, (each for fold, each in enumerate(sums.sums) if fold != number))
    if not _serve(others, sums.lengths):
        return rows()

    def later(width: int, name: str, coding: Coding | None = None) -> LaterRows:
        return LaterRows((others.rows, width), view.dtype, lambda: getattr(rows(), name), coding)

    inputs, targets = later(view.columns.inputs, "inputs", view.columns.coding), later(view.columns.outputs, "targets")
    return Part(inputs, targets, None, others, view.columns.numbers)
