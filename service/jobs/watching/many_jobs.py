"""Many jobs as one stream of server-sent events: each event names its job, and epochs are thinned."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import islice

from service.database.database import Database
from service.errors import NotFound
from service.jobs import operations
from service.jobs.records import JobRecord
from service.jobs.reports import reading
from service.jobs.states import ENDED
from service.jobs.watching.cursor import END, cursor_of
from service.jobs.watching.events import STILL_HERE, event, or_silence, state_event
from service.jobs.watching.watcher import Seen, Watcher

AT_ONCE = 10
"""Jobs whose reports are read in one transaction."""


class Stream:
    """The events of some jobs from their positions on, until all have ended or are deleted, or the service stops."""

    def __init__(self, database: Database, watcher: Watcher, positions: dict[str, int], points: int) -> None:
        self._database = database
        self._watcher = watcher
        self._positions = dict(positions)
        self._points = points
        self._states: dict[str, str] = {}
        self._going = set(positions)

    async def events(self, records: list[JobRecord]) -> AsyncIterator[bytes]:
        """Yield the state of each job, its epochs as they come, and its state again at each change and at its end."""
        for record in records:
            self._states[record.id] = record.state
            yield event("state", reading.job(record).model_dump(mode="json"), None)
        async with aclosing(or_silence(self._watcher.news(self._positions))) as items:
            async for news in items:
                if news is None:
                    yield STILL_HERE
                    continue
                async for each in self._told(news):
                    yield each
                if self._watcher.closed:
                    return

    async def _told(self, news: dict[str, Seen | None]) -> AsyncGenerator[bytes, None]:
        items = iter(news.items())
        while some := list(islice(items, AT_ONCE)):
            present = {job: self._positions[job] for job, seen in some if seen is not None}
            # read after the state was seen: a job that was seen as ended has written all its reports
            for flush in await asyncio.to_thread(reading.flushes, self._database, present, self._points):
                self._positions[flush.job] = flush.last + 1
                yield event("epochs", {"job": flush.job, "items": flush.items}, cursor_of(self._positions))
            for job, seen in some:
                async for each in self._told_of_state(job, None if seen is None else seen[0]):
                    yield each
            if self._watcher.closed:
                return

    async def _told_of_state(self, job: str, state: str | None) -> AsyncGenerator[bytes, None]:
        has_ended = state is None or state in ENDED
        if has_ended:
            self._going.discard(job)
        if has_ended or state != self._states[job]:
            id = None if self._going else END
            try:
                yield await state_event(self._database, job, id)
            except NotFound:  # it was deleted meanwhile
                return
            self._states[job] = state or ""


def shown(database: Database, jobs: list[str]) -> list[JobRecord]:
    """Return the jobs.

    Raises:
        NotFound: one of them is not there.
    """
    return [operations.show(database, job) for job in jobs]
