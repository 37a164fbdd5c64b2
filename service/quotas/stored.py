"""Bytes that each owner may store: counted when something is created, and measured anew now and then."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.database import standing
from service.database.caller import caller
from service.database.database import Database
from service.errors import TooLarge
from service.quotas import records

FRESH = 10.0
"""Seconds for which a measure counts, with what was created since."""
SHARE = 20
"""Times as long as it took for which a measure counts, at least: measuring takes a twentieth of the time."""
QUICK = 0.1
"""Seconds of a measure that is made anew before each refusal: something may have been deleted."""
LIMIT = "Stored-Bytes"


@dataclass
class _Measure:
    bytes: int
    at: float
    took: float

    def is_old(self, *, to_refuse: bool) -> bool:
        age = time.monotonic() - self.at
        if to_refuse:
            return self.took < QUICK or age > self.took
        return age > max(FRESH, SHARE * self.took)


class Stored:
    """The bytes of owners, and how many each may have; None: any number."""

    def __init__(self, database: Database, most: int | None) -> None:
        self._database = database
        self._most = most
        self._measures: dict[str, _Measure] = {}
        self._coming: Counter[str] = Counter()
        """Bytes of each owner that are being written."""
        self._lock = threading.Lock()

    def left(self) -> int | None:
        """Return the bytes that the caller may add; None: any number.

        Raises:
            TooLarge: there are none.
        """
        if self._most is None:
            return None
        with self._lock:
            return self._left_for(1)

    @contextmanager
    def adding(self, bytes: int) -> Iterator[None]:
        """Count what the caller adds in the block, which begins and ends the transaction that does.

        Raises:
            TooLarge: it would have more than it may.
        """
        if self._most is None:
            yield
            return
        owner = caller().owner
        with self._lock:
            left = self._left_for(bytes)
            self._coming[owner] += bytes
        was_added = 0
        try:
            yield
            was_added = bytes
        finally:
            standing.tell(LIMIT, left - was_added)
            with self._lock:
                self._coming[owner] -= bytes
                self._measures[owner].bytes += was_added

    def _left_for(self, bytes: int) -> int:
        assert self._most is not None
        owner = caller().owner
        measure = self._measures.get(owner) or self._measure(owner)
        others = self._coming[owner]
        if measure.is_old(to_refuse=measure.bytes + others + bytes > self._most):
            measure = self._measure(owner)
        left = self._most - measure.bytes - others
        if bytes > left:
            standing.tell(LIMIT, left)
            raise _too_much(owner, self._most - left, bytes, self._most)
        return left

    def _measure(self, owner: str) -> _Measure:
        begun = time.monotonic()
        with self._database.reading() as session:
            bytes = records.bytes_of(session, owner)
        ended = time.monotonic()
        measure = self._measures[owner] = _Measure(bytes, ended, ended - begun)
        return measure


def _too_much(owner: str, stored: int, more: int, most: int) -> TooLarge:
    has = f"{owner} stores {stored:,} bytes of at most {most:,} (DESCENT_MAX_STORED_BYTES)"
    adds = "and has none left" if stored >= most else f"and this would add {more:,}"
    return TooLarge(f"{has}, {adds}: delete datasets, models, versions or jobs first.", "too_many_bytes")
