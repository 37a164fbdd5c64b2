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
    pooled = pool(view)
    fold_of_row = assigned_of(view, pooled, folds, seed)
    held, rest = pooled[fold_of_row == number], pooled[fold_of_row != number]
    if not watches:
        return Fold(rest, rest[:0], held)
    share = view.dataset.validation_rows / len(pooled) or SHARE
    count = min(max(1, round(share * len(rest))), len(rest) - 1)
    chosen = np.zeros(len(rest), bool)
    chosen[np.random.default_rng((seed, number)).choice(len(rest), count, replace=False)] = True
    return Fold(rest[~chosen], rest[chosen], held)


def pool(view: DatasetView) -> Places:
    """Return the rows of the training and the validation part, in the order in which they were uploaded."""
    slices = [view.dataset.slice_of(name) for name in ("train", "validation")]
    places = np.concatenate([np.arange(each.start, each.stop) for each in slices])
    numbers = np.concatenate([view.arrays.numbers[each] for each in slices])
    return places if (numbers[1:] > numbers[:-1]).all() else places[np.argsort(numbers, kind="stable")]


def assigned_of(view: DatasetView, places: Places, folds: int, seed: int) -> Folds:
    """Return the fold of each of the pooled rows."""
    return assigned(_classes(view, places), len(places), folds, seed)


def _classes(view: DatasetView, places: Places) -> Array | None:
    """Return the codes of the first target that is a class; None where there is none."""
    for each in view.columns.targets:
        if each.stored.kind != "numeric":
            codes: Array = view.arrays.targets[places, each.place]
            return codes
    return None


def part_of(view: DatasetView, places: Places, room: Arrays | None = None) -> Part:
    """Return some rows as a network sees them, held in memory as they are stored: categories are codes. They are held
    in `room`, where there is any, until it takes others.
    """
    return view.seen(_chosen(view, places, room))


def arrays_for(view: DatasetView, rows: int) -> Arrays:
    """Return arrays for so many rows, to be filled: using them again costs a quarter of new ones each time."""
    kept = view.arrays
    stored = (kept.inputs, kept.targets, kept.numbers)
    return Arrays(*(np.empty((rows, *each.shape[1:]), each.dtype) for each in stored))


def learnt_of(view: DatasetView, places: Places) -> Part:
    """Return some rows to learn from, weighed by their class where the recipe says so."""
    return view.seen(_chosen(view, places), view.class_weights)


def _chosen(view: DatasetView, places: Places, room: Arrays | None = None) -> Arrays:
    kept = view.arrays
    stored = [np.asarray(each) for each in (kept.inputs, kept.targets, kept.numbers)]
    if room is None:
        return Arrays(*(each.take(places, axis=0) for each in stored))
    into = [each[: len(places)] for each in (room.inputs, room.targets, room.numbers)]
    # all places are there; to raise where one is not, NumPy would fill a copy first
    return Arrays(*(each.take(places, axis=0, out=out, mode="clip") for each, out in zip(stored, into, strict=True)))
