"""Requests that are being answered: each ends when its key does."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from starlette.types import Message, Send

PERIOD = 0.4
"""Seconds between two looks at the keys of the requests that are being answered."""

Pass = TypeVar("Pass")


class InFlight:
    """One request, and the progress of its answer."""

    __slots__ = ("_send", "_task", "is_complete", "is_ended", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._task = asyncio.current_task()
        self.status = 0
        """Status of the answer; 0 before it has begun."""
        self.is_complete = False
        self.is_ended = False
        """Whether its key has ended."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif not message.get("more_body", False):
            self.is_complete = True
        await self._send(message)

    def end(self) -> None:
        """Stop the work on it."""
        if not self.is_ended and self._task is not None:
            self.is_ended = True
            self._task.cancel()

    async def close(self) -> None:
        """Break off an answer that has begun."""
        if self._task is not None:
            self._task.uncancel()
        if self.status and not self.is_complete:
            with contextlib.suppress(RuntimeError):  # it had announced more
                await self.send({"type": "http.response.body", "body": b"", "more_body": False})


class Requests(Generic[Pass]):
    """The requests that are being answered, by their key or sign-in, which is checked again while there are any."""

    def __init__(self, is_good: Callable[[Pass], Awaitable[bool]]) -> None:
        self._is_good = is_good
        self._requests: dict[Pass, set[InFlight]] = {}
        self._watching: asyncio.Task[None] | None = None

    def add(self, key: Pass, request: InFlight) -> None:
        self._requests.setdefault(key, set()).add(request)
        if self._watching is None:
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    def remove(self, key: Pass, request: InFlight) -> None:
        others = self._requests[key]
        others.discard(request)
        if not others:
            del self._requests[key]

    def count(self, key: Pass) -> int:
        return len(self._requests.get(key, ()))

    async def _watch(self) -> None:
        try:
            while self._requests:
                await asyncio.sleep(PERIOD)
                for key in list(self._requests):
                    if not await self._is_good(key):
                        for request in list(self._requests.get(key, ())):
                            request.end()
        finally:
            self._watching = None
