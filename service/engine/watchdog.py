"""A watch over an embedded cluster, which may stop handing messages to its workers after many of them have died, and
does not try again to start those that have died before they began.
"""

import math
import time
from collections.abc import Collection

PATIENCE = 15.0
"""Seconds without a claim, while jobs wait and a worker is free, or without a worker that should be there, after which
the cluster is to be replaced."""
LONGEST_PATIENCE = 240.0
"""Each replacement in vain doubles the patience up to this: the machine may just be slow."""


class Watchdog:
    """A judge of whether messages still lead to claims, and lost workers to new ones; it outlives the clusters that are
    replaced.
    """

    def __init__(self) -> None:
        self._out: frozenset[str] = frozenset()
        self._claimed: frozenset[str] = frozenset()
        self._workers = 0
        self._moved = -math.inf
        """The moment at which a job was claimed, or a message came back, last."""
        self._idle_since: float | None = None
        """The moment from which on nothing has moved, although something should."""
        self._short_since: float | None = None
        """The moment from which on workers have been missing and none has come, whatever the others do."""
        self._replaced = 0

    def is_stuck(
        self, out: Collection[str], claimed: Collection[str], workers: int, slots: int, *, waiting: bool
    ) -> bool:
        """Look again; True once no claim, while jobs are `waiting` and a worker is free, or no worker in place of a
        missing one has come for too long.

        `out` are the messages under way, `claimed` those of them by which a job was claimed; there are `workers` where
        there should be `slots`. A missing worker disturbs no job that has long been alone at work while none waits.
        """
        moment, now_out, now_claimed = time.monotonic(), frozenset(out), frozenset(claimed)
        moved = bool(self._out - now_out or now_claimed - self._claimed)
        self._out, self._claimed = now_out, now_claimed
        if moved:
            self._moved = moment
            if workers >= slots:  # others may go on where a replacement has not brought the missing ones
                self._replaced = 0
        if not waiting or len(now_claimed) >= slots or now_out == now_claimed:
            self._idle_since = None
        elif moved or self._idle_since is None:
            self._idle_since = moment
        if workers >= slots:
            self._short_since = None
        elif self._short_since is None or workers > self._workers:
            self._short_since = moment
        self._workers = workers
        patience = min(PATIENCE * 2.0**self._replaced, LONGEST_PATIENCE)
        at_work = bool(now_claimed) and not waiting and moment - self._moved >= PATIENCE
        begun = [self._idle_since, None if at_work else self._short_since]
        return any(since is not None and moment - since >= patience for since in begun)

    def replaced(self) -> None:
        """Count a replacement: the next one takes longer, unless there is a claim before, with all workers there."""
        self._replaced += 1
        self._out = self._claimed = frozenset()
        self._workers = 0
        self._idle_since = self._short_since = None
