"""A watch over an embedded cluster, which may stop handing messages to its workers after many of them have died, and
does not try again to start those that have died before they began.
"""

import time
from collections.abc import Collection

PATIENCE = 15.0
"""Seconds without a claim, while jobs wait and a worker is free, or without a worker that should be there, after which
the cluster is to be replaced."""
LONGEST_PATIENCE = 240.0
"""Each replacement in vain doubles the patience up to this: the machine may just be slow."""


class Watchdog:
    """A judge of whether messages still lead to claims; it outlives the clusters that are replaced."""

    def __init__(self) -> None:
        self._out: frozenset[str] = frozenset()
        self._claimed: frozenset[str] = frozenset()
        self._since: float | None = None
        """The moment from which on nothing has moved, although something should."""
        self._replaced = 0

    def is_stuck(self, out: Collection[str], claimed: Collection[str], workers: int, slots: int) -> bool:
        """Look again, while jobs wait or workers are missing; True once no claim, and no worker, has come for too long.

        `out` are the messages under way, `claimed` those of them by which a job was claimed; there are `workers` where
        there should be `slots`.
        """
        now_out, now_claimed = frozenset(out), frozenset(claimed)
        moved = bool(self._out - now_out or now_claimed - self._claimed)
        self._out, self._claimed = now_out, now_claimed
        if moved:
            self._replaced = 0
        if len(now_claimed) >= slots or (now_out == now_claimed and workers >= slots):
            self.rest()
        elif moved or self._since is None:
            self._since = time.monotonic()
        patience = min(PATIENCE * 2.0**self._replaced, LONGEST_PATIENCE)
        return self._since is not None and time.monotonic() - self._since >= patience

    def rest(self) -> None:
        """Begin to count anew: no job waits and no worker is missing, or nothing can be written."""
        self._since = None

    def replaced(self) -> None:
        """Count a replacement: the next one takes longer, unless there is a claim before."""
        self._replaced += 1
        self._out = self._claimed = frozenset()
        self._since = None
