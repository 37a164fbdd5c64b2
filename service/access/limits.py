"""Limits on an owner's requests a second and open streams of events."""

import re
import time
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.database import standing
from service.database.caller import caller
from service.errors import TooMany
from service.http.problems import refuse

STREAMS = re.compile(r"/api/(events|(jobs|sweeps)/[^/]+/events)")
"""The paths of streams of events."""


class Paced(NamedTuple):
    """An owner's requests of the present second."""

    left: int
    wait: float
    """Seconds until there is one again; 0 where there is one."""


class Pace:
    """Requests a second by owner: those of a second at once, and then one as often as the rate says.

    A moment for each owner is all that is kept: the time at which its requests so far would have come at that rate.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._due: dict[str, float] = {}

    def take(self, owner: str, now: float) -> Paced:
        """Count a request, unless there is none left."""
        due = max(self._due.get(owner, now), now) + 1 / self.rate
        over = due - now - 1
        if over > 1e-9:
            return Paced(0, over)
        self._due[owner] = due
        return Paced(int((1 + now - due) * self.rate + 1e-6), 0)


class OwnerLimits:
    """ASGI middleware within the door, which knows the owner: what is above a limit is 429, and reads no body."""

    def __init__(self, app: ASGIApp, requests: int | None, streams: int | None) -> None:
        self.app = app
        self._pace = None if requests is None else Pace(requests)
        self._most_streams = streams
        self._streams: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        owner = caller().owner
        if scope["type"] != "http" or not owner:  # what is open to all, such as probes
            await self.app(scope, receive, send)
            return
        if self._pace is not None:
            paced = self._pace.take(owner, time.monotonic())
            send = _adding(_headers(self._pace.rate, paced), send)
            if paced.wait:
                detail = f"{owner} may send {self._pace.rate} requests a second (DESCENT_MAX_REQUESTS)."
                await _refuse(scope, receive, send, detail, paced.wait)
                return
        told, token = standing.begin()
        send = _telling(told, send)
        try:
            if self._most_streams is None or STREAMS.fullmatch(scope["path"]) is None:
                await self.app(scope, receive, send)
            else:
                await self._stream(owner, self._most_streams, scope, receive, send)
        finally:
            standing.end(token)

    async def _stream(self, owner: str, most: int, scope: Scope, receive: Receive, send: Send) -> None:
        standing.tell("Streams", most - self._streams.get(owner, 0) - 1)
        if self._streams.get(owner, 0) >= most:
            detail = f"{owner} may have {most} streams of events open (DESCENT_MAX_STREAMS): close one."
            await _refuse(scope, receive, send, detail, 1)
            return
        self._streams[owner] = self._streams.get(owner, 0) + 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._streams[owner] -= 1
            if not self._streams[owner]:
                del self._streams[owner]


async def _refuse(scope: Scope, receive: Receive, send: Send, detail: str, wait: float) -> None:
    error = TooMany(detail, "too_many_requests")
    error.retry_after = max(1, round(wait + 0.5))
    await refuse(scope, receive, send, error)


def _headers(rate: int, paced: Paced) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell of an owner's requests, as many services have them."""
    return [
        (b"ratelimit-limit", b"%d" % rate),
        (b"ratelimit-remaining", b"%d" % paced.left),
        (b"ratelimit-reset", b"1"),
    ]


def _adding(headers: list[tuple[bytes, bytes]], send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers


def _telling(told: dict[str, int], send: Send) -> Send:
    """Add what is left of each limit that the request came to know of, such as X-Descent-Left-Queued-Jobs."""

    async def send_with_rest(message: Message) -> None:
        if told and message["type"] == "http.response.start":
            rest = [(f"x-descent-left-{limit.lower()}".encode(), b"%d" % left) for limit, left in told.items()]
            message["headers"] = [*message.get("headers", ()), *rest]
        await send(message)

    return send_with_rest
