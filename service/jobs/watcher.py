"""One poller per process watches every job a client is waiting for; waiting holds no thread and no session."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from service.database.database import Database
from service.jobs import records
from service.jobs.states import ENDED, State

log = logging.getLogger(__name__)

POLL = 0.1
"""Seconds between looks at the table while a client waits: workers in other processes cannot nudge."""

Seen = tuple[str, int, float]
"""State, epochs done and progress."""


@dataclass(eq=False)
class _Watch:
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    seen: Seen | None = None
    gone: bool = False
    """Whether the job was deleted."""


class Watcher:
    """A notifier of coroutines that wait for a change of their job. All but `nudge` belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watches: dict[str, set[_Watch]] = defaultdict(set)
        self._nudged = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._poller = asyncio.create_task(self._poll())
        self._closed = False

    def nudge(self) -> None:
        """Look at once; safe to call from any thread, also after the loop has ended."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._nudged.set)

    @property
    def closed(self) -> bool:
        return self._closed

    async def changes(self, job: str) -> AsyncGenerator[Seen, None]:
        """Yield the job as it is now and after each change, until it has ended or is deleted, or the service stops."""
        watch = _Watch()
        self._watches[job].add(watch)
        self._nudged.set()
        try:
            while not self._closed:
                await watch.changed.wait()
                watch.changed.clear()
                if watch.gone:
                    return
                seen = watch.seen  # the poller may set a newer one while the caller works on this one
                if seen is not None:
                    yield seen
                    if seen[0] in ENDED:
                        return
        finally:
            self._watches[job].discard(watch)
            if not self._watches[job]:
                del self._watches[job]

    async def until_at_rest(self, job: str, seconds: float) -> None:
        """Return when the job has ended or is paused, the time is over or the service stops."""
        try:
            async with asyncio.timeout(seconds), aclosing(self.changes(job)) as changes:
                async for state, *_ in changes:
                    if state == State.PAUSED:
                        return
        except TimeoutError:
            pass

    async def _poll(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL if self._watches else None):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()
            if self._watches:
                try:
                    looked_at = list(self._watches)
                    self._compare(looked_at, await asyncio.to_thread(self._look, looked_at))
                except Exception:  # the database is busy, perhaps; the next look is a moment away
                    log.warning("cannot see how jobs are", exc_info=True)

    def _look(self, jobs: list[str]) -> dict[str, Seen]:
        with self._database.reading() as session:
            return records.progress_of(session, jobs)

    def _compare(self, looked_at: list[str], now: dict[str, Seen]) -> None:
        for job in looked_at:
            seen = now.get(job)
            for watch in self._watches.get(job, ()):
                if watch.seen != seen or seen is None:
                    watch.seen, watch.gone = seen, seen is None
                    watch.changed.set()

    def close(self) -> None:
        """End all waits and streams."""
        self._closed = True
        for watches in self._watches.values():
            for watch in watches:
                watch.changed.set()

    async def stop(self) -> None:
        self.close()
        self._poller.cancel()
        await asyncio.gather(self._poller, return_exceptions=True)
