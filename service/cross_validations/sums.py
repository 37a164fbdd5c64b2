"""One pass over the rows of a cross-validation: the sums of each fold, of which each training gets those of the others.

A worker keeps them for its next fold. Sums of other folds are added up, and not taken from a total, which would leave
rounding.
"""

from functools import cache, reduce
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from service.cross_validations.folds import Fold, Places, assigned_of, learnt_of, part_of, pool
from service.datasets.view import DatasetView
from service.learning.rows.gram import Gram
from service.learning.rows.later import LaterRows
from service.learning.rows.part import Part
from service.learning.rows.reference import Centring, spread_sample
from service.storage.storage import Arrays

MOST_ROWS = 4_000_000
BLOCK_ROWS = 1 << 15
SHORT = 1e-3
"""Share of its length in all rows below which a direction may be rounding in those without a fold."""
MOST_BYTES = 1 << 26
"""Bytes of sums that a worker keeps."""


class FoldSums(NamedTuple):
    """The pooled rows, the fold of each, and the sums of each fold."""

    pooled: Places
    fold_of_row: Places
    sums: list[Gram]


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


def _summed(view: DatasetView, folds: int, seed: int) -> FoldSums:
    pooled = pool(view)
    fold_of_row = assigned_of(view, pooled, folds, seed)
    kept, last = view.arrays, view.dataset.slice_of("validation").stop
    everything = view.seen(Arrays(kept.inputs[:last], kept.targets[:last], kept.numbers[:last]))
    reference = Centring.of(*spread_sample(everything.inputs, everything.targets))
    sums = _about(reference, view, pooled, fold_of_row, folds)
    better = reduce(Gram.merge, sums).better_reference()
    if better is not None:
        sums = _about(better, view, pooled, fold_of_row, folds)
    return FoldSums(pooled, fold_of_row, sums)


def _about(reference: Centring, view: DatasetView, pooled: Places, fold_of_row: Places, folds: int) -> list[Gram]:
    """Return the sums of each fold in one pass: the rows of a block lie in a cache while they are told apart."""
    sums: list[Gram | None] = [None] * folds
    for start in range(0, len(pooled), BLOCK_ROWS):
        own = fold_of_row[start : start + BLOCK_ROWS].astype(np.uint16)  # of which sorting is quick
        part = part_of(view, pooled[start : start + BLOCK_ROWS][np.argsort(own, kind="stable")])
        edges = np.cumsum(np.bincount(own, minlength=folds))
        for fold, (begin, end) in enumerate(pairwise([0, *edges.tolist()])):
            if end > begin:
                found, before = Gram.about(reference, part.inputs[begin:end], part.targets[begin:end]), sums[fold]
                sums[fold] = found if before is None else before.merge(found)
    return [each for each in sums if each is not None]


def fold_in(sums: FoldSums, number: int) -> Fold:
    """Return fold `number` where nothing watches a validation loss."""
    held, rest = sums.pooled[sums.fold_of_row == number], sums.pooled[sums.fold_of_row != number]
    return Fold(rest, rest[:0], held)


def _serve(others: Gram, total: Gram) -> bool:
    """Whether rows without one fold lack no direction that all rows have, nor need another reference: rounding would
    stand in its place.
    """
    mine, everyones = others.root().lengths, total.root().lengths
    return len(mine) == len(everyones) and mine[0] > SHORT * everyones[0] and others.better_reference() is None


def unread_of(view: DatasetView, sums: FoldSums, number: int) -> Part:
    """Return the rows outside of fold `number`, with the sums of the others; read where these are not enough."""
    others = reduce(Gram.merge, (each for fold, each in enumerate(sums.sums) if fold != number))
    if not _serve(others, reduce(Gram.merge, sums.sums)):
        return learnt_of(view, fold_in(sums, number).train, balanced=False)

    @cache
    def rows() -> Part:
        return learnt_of(view, fold_in(sums, number).train, balanced=False)

    def later(width: int, name: str) -> LaterRows:
        return LaterRows((others.rows, width), view.dtype, lambda: getattr(rows(), name))

    inputs, targets = later(view.columns.inputs, "inputs"), later(view.columns.outputs, "targets")
    return Part(inputs, targets, None, others, view.columns.numbers)
