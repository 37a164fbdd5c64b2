"""The id of each request, and the access log."""

import logging
import time
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.browsers.policy import with_policy
from service.http.request_context import HEADER, REQUEST_ID, request_id_of
from service.telemetry.logs import ACCESS

log = logging.getLogger(ACCESS)

CLOSED = 499
"""The status that stands for a request whose client was gone before it was answered, as nginx has it."""


class Observer(Protocol):
    """Somebody who wants to know of every request that is over."""

    def __call__(self, scope: Scope, status: int, seconds: float) -> None: ...


class Requests:
    """ASGI middleware outside all others: it gives requests their ids and answers their rules for browsers, and tells
    observers how requests ended.
    """

    def __init__(self, app: ASGIApp, *observers: Observer) -> None:
        self.app = app
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        id = request_id_of(scope["headers"])
        REQUEST_ID.set(id.decode())  # never reset: the server logs an error of the application after this returns
        status = CLOSED

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*with_policy(message["headers"]), (HEADER, id)]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            for observe in self._observers:
                observe(scope, status, time.perf_counter() - began)


def write_access(scope: Scope, status: int, seconds: float) -> None:
    """Write a line of the access log: the path as it was sent, without its query."""
    path = scope["raw_path"].partition(b"?")[0].decode("ascii", "backslashreplace")
    fields = {"method": scope["method"], "path": path, "status": status, "seconds": round(seconds, 6)}
    log.info("%s %s %d %.1f ms", scope["method"], path, status, seconds * 1000, extra={"fields": fields})
