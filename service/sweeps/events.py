"""A sweep as server-sent events: `state` at first and at each change, with `id: end` at its end."""

import asyncio
import time
from collections.abc import AsyncIterator

from service.database.database import Database
from service.errors import NotFound
from service.jobs.watching.cursor import END
from service.jobs.watching.events import PING, STILL_HERE, event
from service.jobs.watching.watcher import Watcher
from service.sweeps import reading
from service.sweeps.schemas import Sweep

LOOK = 0.5
"""Seconds between looks at a sweep that somebody watches."""


async def event_stream(database: Database, watcher: Watcher, sweep: str) -> AsyncIterator[bytes]:
    """Yield the sweep as it is now and after each change, until it has ended or is deleted, or the service stops."""
    told: Sweep | None = None
    spoke = time.monotonic()
    while not watcher.closed:
        try:
            now = await asyncio.to_thread(reading.show, database, sweep)
        except NotFound:  # it was deleted meanwhile
            return
        if now != told:
            told, spoke = now, time.monotonic()
            yield event("state", now.model_dump(mode="json"), None if now.ended_at is None else END)
        if now.ended_at is not None:
            return
        if time.monotonic() - spoke > PING:
            spoke = time.monotonic()
            yield STILL_HERE
        await asyncio.sleep(LOOK)
