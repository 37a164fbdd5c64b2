"""The rungs of ASHA, at which trials rest and the best go on.

Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2020.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

KEPT = Fraction(3, 10)
"""The share of the trials at a rung that goes on from it, the best."""
FIRST = 16
"""The first rung is this part of the epochs: soon enough to try many, and late enough to tell the hopeless."""
SHARE = Fraction(1, 4)
"""The share of all epochs that many trials take at most, from seven epochs on; below, the first rung takes more."""


def rungs_of(epochs: int) -> list[int]:
    """Return the epochs at which trials rest, the last of which are all: R/16, R/2, R, to the nearest whole epoch; the
    second is earlier where R is small, so that many trials keep to their share, and below seven there is none.
    """
    first = max(1, (epochs + FIRST // 2) // FIRST)
    affordable = ((SHARE - KEPT**2) * epochs - (1 - KEPT) * first) / (KEPT - KEPT**2)
    second = min((epochs + 1) // 2, math.floor(affordable))
    return sorted({first, epochs} | ({second} if second > first else set()))


@dataclass(frozen=True)
class Climber:
    """A trial, the losses that it had at the rungs it has reached, and whether it is on the way to the next."""

    number: int
    losses: Sequence[float]
    """Infinite from the rung on before which it failed."""
    climbs: bool = False
    ended: bool = False
    """Whether it will go no further: it has trained to its end, or failed."""
    waits: bool = False
    """Whether it is on the way and waits for a worker, none of which it has lost since it last came further."""


def promoted(climbers: Sequence[Climber], rungs: int) -> list[int]:
    """Return the numbers of the trials that may go on: at each rung the best three tenths of those that have reached
    it, once no trial waits to reach it. While one does, no worker lacks work, and a choice among more is a better one.
    """
    chosen = []
    for rung in range(min([rungs - 1, *(len(each.losses) for each in climbers if each.waits)])):
        reached = sorted((each for each in climbers if len(each.losses) > rung), key=lambda each: _rank(each, rung))
        best = reached[: int(len(reached) * KEPT)]
        chosen += [each.number for each in best if _rests_at(each, rung)]
    return chosen


def last_promoted(climbers: Sequence[Climber], rungs: int) -> int | None:
    """Return the trial that goes on where no other does and none has come to the end; None where one has."""
    if any(len(each.losses) == rungs and math.isfinite(each.losses[-1]) for each in climbers):
        return None
    resting = [each for each in climbers if each.losses and _rests_at(each, len(each.losses) - 1)]
    if not resting:
        return None
    return min(resting, key=lambda each: (-len(each.losses), _rank(each, len(each.losses) - 1))).number


def epochs_at_most(trials: int, rungs: Sequence[int]) -> int:
    """Return the epochs that all trials train, where the best three tenths go on from each rung."""
    total, before = 0, 0
    for rung in rungs:
        total += trials * (rung - before)
        trials, before = max(1, int(trials * KEPT)), rung
    return total


def _rank(climber: Climber, rung: int) -> tuple[float, int]:
    return climber.losses[rung], climber.number


def _rests_at(climber: Climber, rung: int) -> bool:
    is_there = len(climber.losses) == rung + 1 and not (climber.climbs or climber.ended)
    return is_there and math.isfinite(climber.losses[rung])
