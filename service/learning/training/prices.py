"""Costs of computing on this machine: seconds of a call, of a product and of an element, measured once per process."""

from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy import add

REPEATS = 5
"""Measurements, of which the shortest counts: others are disturbed."""
CALLS = 200
SIDE = 64
ELEMENTS = 1 << 14


class Prices(NamedTuple):
    """Seconds of a NumPy call on a few numbers, of one operation in a product of matrices, and of one on an element."""

    call: float
    product: float
    element: float


@cache
def prices() -> Prices:
    """Measure for about a millisecond, the first time alone."""
    few, square = np.zeros(8, np.float32), np.zeros((SIDE, SIDE), np.float32)
    many, product = np.zeros(ELEMENTS, np.float32), np.empty((SIDE, SIDE), np.float32)

    def calls() -> None:
        for _ in range(CALLS):
            add(few, few, few)

    def elements() -> None:
        for _ in range(4):
            add(many, many, many)

    def products() -> None:
        square.dot(square, product)

    return Prices(_shortest(calls) / CALLS, _shortest(products) / (2 * SIDE**3), _shortest(elements) / (4 * ELEMENTS))


def _shortest(work: Callable[[], None]) -> float:
    taken = []
    for _ in range(REPEATS):
        began = perf_counter()
        work()
        taken.append(perf_counter() - began)
    return min(taken)
