"""Server-sent events of jobs: their form, their examples, and comments where there is nothing to tell."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, TypeVar

import orjson

from service.database.database import Database
from service.jobs import operations
from service.jobs.reports import reading

Item = TypeVar("Item")

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
EVENTS_OF_MANY = """event: state
data: {"id": "job_06fhb5zz7hwkqnb8g4b0k6yb3m", "state": "running", ...}

event: epochs
id: kQ3fXw0tAQI
data: {"job": "job_06fhb5zz7hwkqnb8g4b0k6yb3m", "items": [{"epoch": 0, "train_loss": 502.1, ...}, ...]}

event: state
id: end
data: {"id": "job_06fhb5zz7hwkqnb8g4b0k6yb3m", "state": "succeeded", ...}

"""
"""A stream of events of many jobs, shortened."""
TEXT = {"type": "string"}
EVENT: dict[str, Any] = {
    "description": "a stream of events, as a text or event by event",
    "anyOf": [
        TEXT,
        {
            "type": "object",
            "properties": {
                "event": TEXT | {"description": "`state` or `epochs`"},
                "id": TEXT | {"description": "the place in the stream, or `end`; goes into `Last-Event-ID`"},
                "data": TEXT | {"description": "JSON: the job, or an object whose `items` are epoch reports"},
            },
        },
    ],
}

STILL_HERE = b": still here\n\n"


def event(kind: str, data: Any, id: str | None) -> bytes:
    """Return an event as it is sent."""
    name = b"" if id is None else b"id: %b\n" % id.encode()
    return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), name, orjson.dumps(data))


async def state_event(database: Database, job: str, id: str | None) -> bytes:
    """Return the event of a job's present state.

    Raises:
        NotFound: there is no such job.
    """
    record = await asyncio.to_thread(operations.show, database, job)
    return event("state", reading.job(record).model_dump(mode="json"), id)


async def or_silence(items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item | None, None]:
    """Yield the items, and None after each `PING` seconds without one."""
    pending = asyncio.ensure_future(anext(items))
    try:
        while True:
            done, _ = await asyncio.wait({pending}, timeout=PING)
            if not done:
                yield None
                continue
            try:
                item = pending.result()
            except StopAsyncIteration:
                return
            yield item
            pending = asyncio.ensure_future(anext(items))
    finally:
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await items.aclose()
