"""A step length by the strong conditions of Wolfe."""

from collections.abc import Generator
from typing import NamedTuple

import numpy as np

DECREASE = 1e-4
FLATTER = 0.9
LONGER = 4.0
MOST_TRIALS = 20
INNER = 0.1
"""Of an interval: a trial comes no nearer to its ends."""


class Point(NamedTuple):
    """A length along the direction, the loss there and its slope; both inf where the loss is not finite."""

    at: float
    loss: float
    slope: float


Search = Generator[float, Point, bool]


def line_search(start: Point, first: float, rounding: float) -> Search:
    """Yield lengths to try and take what is there; the last one tried is the step where True is returned.

    The loss falls by at least DECREASE of what the first slope promises, to `rounding` (an absolute amount), and the
    slope becomes FLATTER times as steep (J. Nocedal, S. Wright, "Numerical Optimization", 2006, algorithms 3.5 and
    3.6). Where no length does that, the best that lowers the loss is taken; False where none does.
    """
    low, high, length = start, None, first
    for _ in range(MOST_TRIALS):
        here = yield length
        if here.loss > start.loss + DECREASE * here.at * start.slope + rounding or here.loss >= low.loss + rounding:
            high = here
        elif abs(here.slope) <= -FLATTER * start.slope:
            return True
        elif high is None and here.slope < 0:
            low, length = here, LONGER * here.at
            continue
        else:
            if high is None or here.slope * (high.at - low.at) >= 0:
                high = low
            low = here
        assert high is not None
        length = lowest_between(low, high)
        if length in (low.at, high.at):
            break
    if not low.loss < start.loss:
        return False
    yield low.at
    return True


def lowest_between(low: Point, high: Point) -> float:
    """Return the lowest place of a cubic with these values and slopes, off the ends; the middle without one."""
    width = high.at - low.at
    middle = low.at + width / 2
    if not np.isfinite(high.loss):
        return low.at + width * INNER
    mean = low.slope + high.slope - 3 * (high.loss - low.loss) / width
    square = mean * mean - low.slope * high.slope
    if not square >= 0:
        return middle
    root = np.copysign(np.sqrt(square), width)
    bottom = high.slope - low.slope + 2 * root
    if not bottom:
        return middle
    share = 1 - (high.slope + root - mean) / bottom
    return low.at + width * float(np.clip(share, INNER, 1 - INNER)) if np.isfinite(share) else middle
