"""The folds of a cross-validation, drawn by seed from the rows of the training and the validation part."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.datasets.view import DatasetView
from service.http.json_numbers import Array
from service.learning.rows.folds import Folds, assigned
from service.learning.rows.part import Part
from service.storage.storage import Arrays

Places = NDArray[np.intp]
"""Places of rows in a dataset's arrays."""
SHARE = 0.2
"""The share of a fold's training rows that early stopping watches where the dataset has no validation part."""


@dataclass(frozen=True)
class Fold:
    """The rows that one training learns from, watches, and is judged by."""

    train: Places
    watched: Places
    """Rows by which early stopping decides; empty where nothing does."""
    held: Places


def fold_of(view: DatasetView, number: int, folds: int, seed: int, *, watches: bool) -> Fold:
    """Return fold `number` of `folds`; with `watches`, some of its training rows go to early stopping."""
    pool = Pool(view)
    fold_of_row = assigned_of(view, pool, folds, seed)
    held, rest = (pool.at(np.flatnonzero(chosen)) for chosen in (fold_of_row == number, fold_of_row != number))
    if not watches:
        return Fold(rest, rest[:0], held)
    share = view.dataset.validation_rows / pool.rows or SHARE
    count = min(max(1, round(share * len(rest))), len(rest) - 1)
    chosen = np.zeros(len(rest), bool)
    chosen[np.random.default_rng((seed, number)).choice(len(rest), count, replace=False)] = True
    return Fold(rest[~chosen], rest[chosen], held)


class Pool:
    """The rows of the training and the validation part, in the order in which they were uploaded."""

    def __init__(self, view: DatasetView) -> None:
        self.rows = view.dataset.train_rows + view.dataset.validation_rows
        self._order: Places | None = None
        """None: the arrays have them in this order, as they have those of each part."""
        if view.dataset.train_rows and view.dataset.validation_rows:
            numbers = view.arrays.numbers[: self.rows]
            if not (numbers[1:] > numbers[:-1]).all():
                self._order = np.argsort(numbers, kind="stable")

    def at(self, indices: Places) -> Places:
        """Return the places of some of them."""
        return indices if self._order is None else self._order[indices]


def assigned_of(view: DatasetView, pool: Pool, folds: int, seed: int) -> Folds:
    """Return the fold of each of the pooled rows."""
    return assigned(_classes(view, pool), pool.rows, folds, seed)


def _classes(view: DatasetView, pool: Pool) -> Array | None:
    """Return the codes of the first target that is a class; None where there is none."""
    for each in view.columns.targets:
        if each.stored.kind != "numeric":
            codes: Array = view.arrays.targets[pool.at(np.arange(pool.rows)), each.place]
            return codes
    return None


def part_of(view: DatasetView, places: Places) -> Part:
    """Return some rows as a network sees them, held in memory as they are stored: categories are codes."""
    return view.seen(_chosen(view, places))


def learnt_of(view: DatasetView, places: Places) -> Part:
    """Return some rows to learn from, weighed by their class where the recipe says so."""
    return view.seen(_chosen(view, places), view.class_weights)


def _chosen(view: DatasetView, places: Places) -> Arrays:
    kept = view.arrays
    return Arrays(*(np.asarray(each).take(places, axis=0) for each in (kept.inputs, kept.targets, kept.numbers)))


class RoomForRows:
    """Memory for a few rows, used again and again: each time costs a quarter of new memory."""

    def __init__(self, view: DatasetView, rows: int) -> None:
        kept = view.arrays
        self._stored = np.asarray(kept.inputs), np.asarray(kept.targets)
        inputs, targets = (np.empty((rows, *each.shape[1:]), each.dtype) for each in self._stored)
        self._into = inputs, targets
        part = view.seen(Arrays(inputs, targets, kept.numbers[:rows]))
        self._inputs, self._targets = part.inputs, part.targets

    def taken(self, places: Places) -> tuple[Array, Array]:
        """Return inputs and targets of some rows as a network sees them, until others are taken."""
        for stored, into in zip(self._stored, self._into, strict=True):
            # all places are there; to raise where one is not, NumPy would fill a copy first
            stored.take(places, axis=0, out=into[: len(places)], mode="clip")
        return self._inputs[: len(places)], self._targets[: len(places)]
