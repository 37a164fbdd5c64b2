"""A job as server-sent events: `state`, then `epochs`, one a flush, and `state` again at each change and at the end."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress

from service.database.database import Database
from service.errors import NotFound, invalid
from service.jobs import operations
from service.jobs.reports import reading
from service.jobs.states import ENDED
from service.jobs.watching.events import STILL_HERE, event, or_silence, state_event
from service.jobs.watching.watcher import Watcher


def first_epoch_after(last_event_id: str | None) -> int:
    """Return the epoch at which a stream continues.

    Raises:
        Invalid: the id is not one of ours.
    """
    if last_event_id is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", last_event_id):
        raise invalid("header/last-event-id", "An event's id here is an epoch's number or `end`.", "bad_event_id")
    return int(last_event_id) + 1


async def event_stream(database: Database, watcher: Watcher, job: str, epoch: int) -> AsyncIterator[bytes]:
    """The events of `job` from `epoch` on, until it has ended or is deleted, or the service stops."""
    async with aclosing(_events(database, watcher, job, epoch)) as events:
        with suppress(NotFound):  # it was deleted meanwhile
            async for each in events:
                yield each


async def _events(database: Database, watcher: Watcher, job: str, epoch: int) -> AsyncGenerator[bytes, None]:
    first = await asyncio.to_thread(operations.show, database, job)
    yield event("state", reading.job(first).model_dump(mode="json"), None)
    state: str = first.state
    async with aclosing(or_silence(watcher.changes(job))) as changes:
        async for seen in changes:
            if seen is None:
                yield STILL_HERE
                continue
            # read after the state was seen: a job that was seen as ended has written all its reports
            chunks = reading.chunks(database, job, epoch)
            while not watcher.closed and (rows := await asyncio.to_thread(next, chunks, None)):
                epoch = rows[-1]["epoch"] + 1
                yield event("epochs", {"items": rows}, str(epoch - 1))
            if watcher.closed:
                return
            if seen[0] in ENDED:
                yield await state_event(database, job, "end")
            elif seen[0] != state:
                state = seen[0]
                yield await state_event(database, job, None)
