"""A few large bodies at once: each takes some times its own memory until it is answered."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.body_limit import is_streamed_dataset
from service.errors import Unavailable

LARGE = 1 << 20
"""Bytes."""
AT_ONCE = 4
PATIENCE = 5.0
"""Seconds that a large body waits for its turn; what its sender has not sent yet waits there."""


class LargeBodies:
    """ASGI middleware: a body that grows large needs one of a few turns, which it keeps until its answer is sent.

    Streamed datasets have turns of their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_small(scope) or is_streamed_dataset(scope, Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        seen, has_turn = 0, False

        async def receive_in_turn() -> Message:
            nonlocal seen, has_turn
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > LARGE and not has_turn:
                await self._wait()
                has_turn = True
            return message

        try:
            await self.app(scope, receive_in_turn, send)
        finally:
            if has_turn:
                self._turns.release()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError:
            detail = f"{AT_ONCE} bodies of more than {LARGE:,} bytes are being worked on: send this one again soon."
            raise Unavailable(detail, "busy") from None


def _is_small(scope: Scope) -> bool:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= LARGE
