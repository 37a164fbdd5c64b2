"""One poller per process watches every job a client is waiting for; waiting holds no thread and no session."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar

from service.database.database import Database
from service.jobs import records
from service.jobs.states import ENDED, State
from service.telemetry.logs import warn

log = logging.getLogger(__name__)

POLL = 0.1
"""Seconds between looks at the table while a client waits: workers in other processes cannot nudge."""
FIRST_POLL = 0.005
"""Seconds between the first looks, where looks are cheap: jobs of milliseconds end soon."""
LOOKS = 8
"""The next look comes after an eighth of the time that a client has waited: looks become rarer up to `POLL`."""
FEW = 8
"""Jobs that are looked at one by one, which is the quicker way for as many."""

LOOK = 0.25
"""Seconds between looks at many jobs as a whole."""

Whole = TypeVar("Whole")
Seen = tuple[str, int, float]
"""State, epochs done and progress."""
News = dict[str, Seen | None]
"""Jobs as they are now; None where one was deleted."""


@dataclass(eq=False)
class _Watch:
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    seen: News = field(default_factory=dict)
    news: News = field(default_factory=dict)
    """Changes since the caller looked."""
    since: float = field(default_factory=time.monotonic)

    def see(self, job: str, seen: Seen | None) -> None:
        if job not in self.seen or self.seen[job] != seen:
            self.seen[job] = self.news[job] = seen
            self.changed.set()


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
        async with aclosing(self.news([job])) as news:
            async for each in news:
                seen = each[job]
                if seen is not None:
                    yield seen

    async def news(self, jobs: Iterable[str]) -> AsyncGenerator[News, None]:
        """Yield all jobs as they are now, then those that changed, until all have ended or are deleted, or the service
        stops.

        Changes that come while the caller works are one item; of several of one job, the last counts.
        """
        watch, going = _Watch(), set(jobs)
        for job in going:
            self._watches[job].add(watch)
        self._nudged.set()
        try:
            while going and not self._closed:
                await watch.changed.wait()
                watch.changed.clear()
                news, watch.news = watch.news, {}
                if news:
                    yield news
                for job, seen in news.items():
                    if seen is None or seen[0] in ENDED:
                        self._leave(job, watch)
                        going.discard(job)
        finally:
            for job in going:
                self._leave(job, watch)

    def _leave(self, job: str, watch: _Watch) -> None:
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
                async with asyncio.timeout(self._gap() if self._watches else None):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()
            if self._watches:
                try:
                    looked_at = list(self._watches)
                    self._compare(looked_at, await self._seen(looked_at))
                except Exception as error:  # noqa: BLE001 - the database is busy, perhaps; the next look is near
                    warn(log, "cannot see how jobs are: %s", error)

    def _gap(self) -> float:
        """Return the seconds until the next look, by the time since the newest client began to wait."""
        if not self._database.on_sqlite:
            return POLL
        last = max(watch.since for watches in self._watches.values() for watch in watches)
        return min(max(FIRST_POLL, (time.monotonic() - last) / LOOKS), POLL)

    async def _seen(self, jobs: list[str]) -> dict[str, Seen]:
        if len(jobs) > FEW or not self._database.on_sqlite:
            return await asyncio.to_thread(self._look, jobs)
        return {job: seen for job in jobs if (seen := records.seen(self._database, job)) is not None}

    def _look(self, jobs: list[str]) -> dict[str, Seen]:
        with self._database.reading() as session:
            return records.progress_of(session, jobs)

    def _compare(self, looked_at: list[str], now: dict[str, Seen]) -> None:
        for job in looked_at:
            for watch in self._watches.get(job, ()):
                watch.see(job, now.get(job))

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


async def until_over(
    watcher: Watcher, look: Callable[[], Whole], is_over: Callable[[Whole], bool], seconds: float
) -> Whole:
    """Look at a whole of many jobs again and again; return it once it is over, the time is, or the service stops."""
    until = time.monotonic() + seconds
    while True:
        seen = await asyncio.to_thread(look)
        left = until - time.monotonic()
        if is_over(seen) or left <= 0 or watcher.closed:
            return seen
        await asyncio.sleep(min(LOOK, left))
