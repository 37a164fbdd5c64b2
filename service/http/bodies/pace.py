"""The pace at which the rest of a body has to arrive while others wait."""

import asyncio
from dataclasses import dataclass
from time import monotonic

from starlette.types import Message, Receive


@dataclass(frozen=True)
class Pace:
    """The time that a sender may let us wait; our own work between two pieces does not count."""

    grace: float = 10.0
    """Seconds of waiting that are free."""
    rate: float = 64 << 10
    """Bytes that have to arrive for each second more."""
    silence: float = 60.0
    """Seconds of waiting for one piece, however many bytes have arrived before."""


USUAL = Pace()


class PacedSender:
    """A sender whose pieces arrive in time; `TimeoutError` is raised where they do not."""

    def __init__(self, receive: Receive, pace: Pace) -> None:
        self._receive = receive
        self._pace = pace
        self._left = pace.grace

    async def receive(self) -> Message:
        before = monotonic()
        async with asyncio.timeout(min(self._left, self._pace.silence)):
            message = await self._receive()
        self._left += len(message.get("body", b"")) / self._pace.rate - (monotonic() - before)
        return message
