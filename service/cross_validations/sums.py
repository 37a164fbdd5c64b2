"""One pass over the rows of a cross-validation: the sums of each fold, of which each training gets those of the others.

A worker keeps them for its next fold. Sums of other folds are added up, and not taken from a total, which would leave
rounding.
"""

from collections.abc import Iterator, Sequence
from functools import cache, partial, reduce
from typing import NamedTuple

import numpy as np

from service.cross_validations.folds import Places, assigned_of, learnt_of, part_of, pool
from service.datasets.view import DatasetView
from service.http.json_numbers import Array
from service.learning.rows.coded import Coding
from service.learning.rows.folds import Folds
from service.learning.rows.gram import Gram, block_rows
from service.learning.rows.later import LaterRows
from service.learning.rows.part import Part
from service.learning.rows.reference import Centring, spread_sample
from service.storage.storage import Arrays

MOST_ROWS = 4_000_000
TOGETHER = 4
"""Blocks of a pass whose rows are told apart together."""
SHORT = 1e-3
"""Share of its length in all rows below which a direction may be rounding in those without a fold."""
MOST_BYTES = 1 << 26
"""Bytes of sums that a worker keeps."""


class FoldSums(NamedTuple):
    """The pooled rows, the fold of each, the rows of each fold, and the sums of each fold."""

    pooled: Places
    fold_of_row: Folds
    held: list[Places]
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
    held = [pooled[fold_of_row == fold] for fold in range(folds)]
    blocks = partial(_blocks, view, fold_of_row, held)
    sums = Gram.of_groups(reference, folds, blocks())
    better = reduce(Gram.merge, sums).better_reference()
    if better is not None:
        sums = Gram.of_groups(better, folds, blocks())
    return FoldSums(pooled, fold_of_row, held, sums)


def _blocks(view: DatasetView, fold_of_row: Folds, held: Sequence[Places]) -> Iterator[tuple[Array, Array, Places]]:
    """Yield rows in the order of the file, those of a block by their folds: they lie in a cache while they are told
    apart.
    """
    rows, done = TOGETHER * block_rows(view.columns.inputs), np.zeros(len(held), np.intp)
    for start in range(0, len(fold_of_row), rows):
        counts = np.bincount(fold_of_row[start : start + rows], minlength=len(held))
        after = done + counts
        edges = zip(held, done.tolist(), after.tolist(), strict=True)
        part = part_of(view, np.concatenate([places[first:last] for places, first, last in edges]))
        yield part.inputs[:], part.targets[:], counts
        done = after


def _serve(others: Gram, total: Gram) -> bool:
    """Whether rows without one fold lack no direction that all rows have, nor need another reference: rounding would
    stand in its place.
    """
    mine, everyones = others.root().lengths, total.root().lengths
    return len(mine) == len(everyones) and mine[0] > SHORT * everyones[0] and others.better_reference() is None


def unread_of(view: DatasetView, sums: FoldSums, number: int) -> Part:
    """Return the rows outside of fold `number`, with the sums of the others; read where these are not enough."""

    @cache
    def rows() -> Part:
        return learnt_of(view, sums.pooled[sums.fold_of_row != number])

    others = reduce(Gram.merge, (each for fold, each in enumerate(sums.sums) if fold != number))
    if not _serve(others, reduce(Gram.merge, sums.sums)):
        return rows()

    def later(width: int, name: str, coding: Coding | None = None) -> LaterRows:
        return LaterRows((others.rows, width), view.dtype, lambda: getattr(rows(), name), coding)

    inputs, targets = later(view.columns.inputs, "inputs", view.columns.coding), later(view.columns.outputs, "targets")
    return Part(inputs, targets, None, others, view.columns.numbers)
