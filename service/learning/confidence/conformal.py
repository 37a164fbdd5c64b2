"""Split conformal prediction: how far outputs may be off, from the scores of rows that training has not seen.

The score of a number is |ŷ - y|, that of a class 1 - p, p the probability of the true one. Of n rows, the
⌈(n + 1) level⌉-th smallest score is exceeded by a new row of the same kind with a chance of at most 1 - level, whatever
the network: A. N. Angelopoulos, S. Bates, "A gentle introduction to conformal prediction", 2021.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from service.learning.arrays import Array
from service.learning.confidence.temperature import scores_at
from service.learning.evaluation.class_scores import labels
from service.learning.evaluation.evaluation import Classes, Numbers
from service.learning.losses import Link

_Name = TypeVar("_Name")

SPLIT, LEAVE_ONE_OUT, JACKKNIFE_PLUS = "split_conformal", "leave_one_out", "jackknife_plus"
"""Ways to scores: of rows that were not learnt from; of learnt ones, each left out in turn; and those of each fit."""


def rank(rows: int, level: float) -> int:
    """⌈(rows + 1) level⌉, of the level as it is written: 0.07 is 7/100."""
    return math.ceil((rows + 1) * Fraction(repr(level)))


def rows_needed(level: float) -> int:
    """Return the fewest rows that have a score of this level's rank."""
    exact = Fraction(repr(level))
    return math.ceil(exact / (1 - exact))


@dataclass(frozen=True)
class Quantiles:
    """The scores that are exceeded with a chance of at most 1 - level."""

    values: Array
    """One a number, and one a class target, in the order of targets."""
    rows: int
    """Rows that they are from."""
    reused: bool
    """Whether these rows had a part in the training, so that the level may not be met."""
    temperatures: tuple[float, ...]
    """That of the probabilities of each target."""
    method: str = SPLIT


def scores(
    outputs: Array,
    truth: Array,
    targets: Sequence[Numbers | Classes],
    link: Link | None,
    temperatures: Sequence[float] | None = None,
) -> Array:
    """Return the scores (rows × quantiles) of outputs, given the true numbers and the codes of the true classes."""
    found, output, column = [], 0, 0
    for target, temperature in zip(targets, temperatures or [1.0] * len(targets), strict=True):
        true = truth[:, column : column + target.columns]
        if isinstance(target, Numbers):
            with np.errstate(all="ignore"):
                found.append(np.abs(outputs[:, output : output + target.outputs].astype(np.float64) - true))
        else:
            own = outputs[:, output : output + target.outputs]
            chances = scores_at(own, link, temperature, boolean=target.boolean)
            of_true = chances[np.arange(len(true)), true[:, 0].astype(np.intp)]
            found.append(1 - of_true.astype(np.float64).reshape(-1, 1))
        output, column = output + target.outputs, column + target.columns
    return np.concatenate(found, axis=1)


def quantiles(scores: Array, level: float) -> Array:
    """Return the score of the level's rank in each column; a score that is not a number is larger than all."""
    place = rank(len(scores), level) - 1
    ordered = np.partition(np.where(np.isnan(scores), np.inf, scores), place, axis=0)
    found: Array = ordered[place].copy()
    return found


def in_set(chances: Array, quantile: float) -> NDArray[np.bool_]:
    """Return whether each class is in the set of a row (rows × classes), by its chance; the likeliest always is."""
    inside = 1 - chances.astype(np.float64) <= quantile
    inside[np.arange(len(chances)), labels(chances)] = True
    found: NDArray[np.bool_] = inside
    return found


def names_inside(inside: NDArray[np.bool_], names: Sequence[_Name]) -> list[list[_Name]]:
    """Return the names of the classes that are in the set of each row; many rows share a few sets."""
    packed = np.packbits(inside, axis=1)
    keys = packed.view(f"S{packed.shape[1]}")[:, 0]  # without zeros at the end, which all keys would have
    found: dict[bytes, list[_Name]] = {}
    sets = []
    for row, key in enumerate(keys.tolist()):
        named = found.get(key)
        if named is None:
            named = found[key] = [names[code] for code in inside[row].nonzero()[0].tolist()]
        sets.append(named)
    return sets
