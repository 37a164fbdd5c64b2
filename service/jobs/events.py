"""A job as server-sent events: `state`, then `epochs`, one a flush, and `state` again at each change and at the end."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

import orjson

from service.database.database import Database
from service.errors import NotFound, invalid
from service.jobs import operations
from service.jobs.reports import reading
from service.jobs.states import ENDED
from service.jobs.watcher import Watcher

PING = 15.0
"""Seconds of silence after which a comment keeps proxies from closing the stream."""

EVENTS = """event: state
data: {"id": "job_06fhb5zz7hwkqnb8g4b0k6yb3m", "state": "running", ...}

event: epochs
id: 1
data: {"items": [{"epoch": 0, "train_loss": 502.1, ...}, {"epoch": 1, "train_loss": 12.6, ...}]}

event: state
id: end
data: {"id": "job_06fhb5zz7hwkqnb8g4b0k6yb3m", "state": "succeeded", ...}

"""
"""A stream of events, shortened."""
TEXT = {"type": "string"}
EVENT: dict[str, Any] = {
    "description": "a stream of events, as a text or event by event",
    "anyOf": [
        TEXT,
        {
            "type": "object",
            "properties": {
                "event": TEXT | {"description": "`state` or `epochs`"},
                "id": TEXT | {"description": "the last epoch of the event, or `end`; goes into `Last-Event-ID`"},
                "data": TEXT | {"description": "JSON: the job, or an object whose `items` are epoch reports"},
            },
        },
    ],
}


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
            async for event in events:
                yield event


async def _events(database: Database, watcher: Watcher, job: str, epoch: int) -> AsyncGenerator[bytes, None]:
    first = await asyncio.to_thread(operations.show, database, job)
    yield event("state", reading.job(first).model_dump(mode="json"), None)
    state: str = first.state
    changes = watcher.changes(job)
    pending = asyncio.ensure_future(anext(changes, None))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=PING)
            if not done:
                yield b": still here\n\n"
                continue
            seen = pending.result()
            if seen is None:
                return
            # read after the state was seen: a job that was seen as ended has written all its reports
            chunks = reading.chunks(database, job, epoch)
            while not watcher.closed and (rows := await asyncio.to_thread(next, chunks, None)):
                epoch = rows[-1]["epoch"] + 1
                yield event("epochs", {"items": rows}, str(epoch - 1))
            if watcher.closed:
                return
            if seen[0] in ENDED:
                yield await _state(database, job, "end")
                return
            if seen[0] != state:
                state = seen[0]
                yield await _state(database, job, None)
            pending = asyncio.ensure_future(anext(changes, None))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await changes.aclose()


async def _state(database: Database, job: str, id: str | None) -> bytes:
    record = await asyncio.to_thread(operations.show, database, job)
    return event("state", reading.job(record).model_dump(mode="json"), id)


def event(kind: str, data: Any, id: str | None) -> bytes:
    name = b"" if id is None else b"id: %b\n" % id.encode()
    return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), name, orjson.dumps(data))
