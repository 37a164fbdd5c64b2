"""Turns of large bodies: each takes several times its own memory until it is answered."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import RequestTimeout, Unavailable
from service.http.bodies.body_limit import is_streamed_dataset
from service.http.bodies.pace import USUAL, Pace, PacedSender

LARGE = 1 << 20
"""Bytes from which on a body is large."""
AT_ONCE = 4
PATIENCE = 5.0
"""Seconds that a large body waits for its turn; the unsent rest stays with the sender."""


class LargeBodies:
    """ASGI middleware: a body that grows large needs one of a few turns, which it keeps until its answer is sent.

    It loses the turn when it arrives too slowly. Streamed datasets have turns of their own.
    """

    def __init__(self, app: ASGIApp, pace: Pace = USUAL) -> None:
        self.app = app
        self._pace = pace
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_small(scope) or is_streamed_dataset(scope, Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        body = _LargeBody(receive, self._turns, self._pace)
        try:
            await self.app(scope, body.receive, send)
        finally:
            body.give_up_turn()


class _LargeBody:
    """A body on its way to the app, which may grow large."""

    def __init__(self, receive: Receive, turns: asyncio.Semaphore, pace: Pace) -> None:
        self._receive = receive
        self._paced = PacedSender(receive, pace)
        self._turns = turns
        self._pace = pace
        self._seen = 0
        self._has_turn = False

    async def receive(self) -> Message:
        message = await (self._receive_in_time() if self._has_turn else self._receive())
        self._seen += len(message.get("body", b""))
        if self._seen > LARGE and not self._has_turn:
            await self._take_turn()
        return message

    async def _receive_in_time(self) -> Message:
        try:
            return await self._paced.receive()
        except TimeoutError:
            self.give_up_turn()  # now, since the answer waits for some more of the body
            detail = (
                f"The body arrives too slowly: beyond {LARGE:,} bytes, after {self._pace.grace:g} seconds, "
                f"{self._pace.rate:,.0f} bytes a second are expected, and no pause of more than "
                f"{self._pace.silence:g} seconds."
            )
            raise RequestTimeout(detail, "too_slow") from None

    async def _take_turn(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turns.acquire()
        except TimeoutError:
            detail = f"{AT_ONCE} bodies of more than {LARGE:,} bytes are being worked on: send this one again soon."
            raise Unavailable(detail, "busy") from None
        self._has_turn = True

    def give_up_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turns.release()


def _is_small(scope: Scope) -> bool:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return length.isdigit() and int(length) <= LARGE
