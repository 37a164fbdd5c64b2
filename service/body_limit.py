"""Bodies over the limit get a 413 that even a plain client sees."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

READ_AND_THROWN_AWAY = 256 << 20
"""Bytes past the limit that are still read: a client that only writes until it is done would otherwise see a reset
connection in place of the answer."""


class BodyLimit:
    """ASGI middleware: the app sees at most `limit` bytes of a body; past that, its `receive` raises a 413."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        too_large = announced.isdigit() and int(announced) > self.limit
        seen = 0

        async def limited_receive() -> Message:
            nonlocal seen
            if not too_large:
                message = await receive()
                seen += len(message.get("body", b""))
                if seen <= self.limit:
                    return message
                if not message.get("more_body", False):
                    raise self._refusal()
            await _throw_away(receive)
            raise self._refusal()

        await self.app(scope, limited_receive, send)

    def _refusal(self) -> HTTPException:
        # Starlette's own class: FastAPI turns every other exception of a `receive` into a 400.
        return HTTPException(413, f"The body is larger than {self.limit:,} bytes (DESCENT_MAX_BODY).")


async def _throw_away(receive: Receive) -> None:
    left = READ_AND_THROWN_AWAY
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return
