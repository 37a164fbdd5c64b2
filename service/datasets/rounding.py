"""Digits that numbers lose in a dtype of fewer."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from service.http.json_numbers import Array

EXACT_TO = 1 << 24
"""Whole numbers up to here are all exact in float32."""
LONGEST = 2.0**63
"""Whole numbers beyond are no counts, times or ids, but measurements whose last digits mean nothing."""
TELLING = 3e-4
"""Share of a column's range: roundings that come to more are seen by a network."""
EXACT, BEYOND = 2.0**53, 2.0**64
"""Whole numbers between these may be ids or times of more digits than float64 has."""
DIGITS = 15
"""Significant digits that float64 keeps of any number."""
SEEN = 100
"""Such numbers of a chunk that are looked at."""
COLLAPSED = 0.99
"""Share of different numbers that are still different: where fewer are, rows are mistaken for each other."""


@dataclass
class Rounding:
    """The losses of one column in float32 or float64, as its rows pass."""

    least: float = inf
    greatest: float = -inf
    error: float = 0.0
    """The greatest difference from a number as it was sent."""
    changed: tuple[float, float] | None = None
    """The first whole number that is another one now, and that one."""
    beyond: float | None = None
    """A whole number of more digits than float64 has."""
    distinct: tuple[int, int] | None = None
    """Different numbers among the first that are rounded much, before and after."""

    def add(self, values: Array, rounded: Array) -> bool:
        """Take some rows, NaN where a value is missing; return whether any show so far."""
        self.least = min(self.least, float(np.fmin.reduce(values, initial=inf)))
        self.greatest = max(self.greatest, float(np.fmax.reduce(values, initial=-inf)))
        largest = max(-self.least, self.greatest)
        if largest < EXACT_TO and largest * TELLING < self.spread:
            return False
        if largest >= EXACT and self.beyond is None:
            self.beyond = _beyond_float64(values)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            errors = abs(values - rounded)
        self.error = max(self.error, float(np.fmax.reduce(errors, initial=0.0)))
        if self.changed is None:
            self.changed = _first_changed(values, rounded, errors)
        if self.shows and self.distinct is None:
            known = ~np.isnan(values)
            self.distinct = len(np.unique(values[known])), len(np.unique(rounded[known]))
        return self.shows

    @property
    def spread(self) -> float:
        return self.greatest - self.least

    @property
    def shows(self) -> bool:
        """Whether whole numbers are others now, or roundings come to too large a share of the range."""
        return self.changed is not None or self._is_coarse

    @property
    def tells(self) -> bool:
        """Whether they matter to a network: of numbers that are large, but far apart, it learns as much without."""
        before, after = self.distinct or (0, 0)
        return self._is_coarse or after < COLLAPSED * before

    @property
    def _is_coarse(self) -> bool:
        return self.spread > 0 and self.error > TELLING * self.spread

    def sentence(self, name: str) -> str:
        """Describe the losses of the column `name`."""
        before, after = self.distinct or (0, 0)
        if after < before:
            beginning = f"Of {before:,} different numbers of {name!r} float32 tells {after:,} apart"
        else:
            beginning = f"float32 has too few digits for the numbers of {name!r}"
        if self.changed is None:
            return f"{beginning}: it rounds them by up to {self.error:.2g}"
        return f"{beginning}: {self.changed[0]:.0f} becomes {self.changed[1]:.0f}"


def _beyond_float64(values: Array) -> float | None:
    """Return the first whole number that may stand for another one: beyond 2⁵³, and of more digits than are kept."""
    size = abs(values)
    large = values[(size >= EXACT) & (size < BEYOND)][:SEEN].tolist()
    return next((each for each in large if len(_shortest(each)) > DIGITS), None)


def _shortest(value: float) -> str:
    """Return the fewest digits that identify a number."""
    return repr(abs(value)).partition("e")[0].replace(".", "").strip("0")


def _first_changed(values: Array, rounded: Array, errors: Array) -> tuple[float, float] | None:
    size = abs(values)
    found = np.flatnonzero((errors > 0) & (size >= EXACT_TO) & (size < LONGEST) & (values == np.floor(values)))
    return (float(values[found[0]]), float(rounded[found[0]])) if len(found) else None
