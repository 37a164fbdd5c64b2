"""A request's body as a file: a coroutine pours in what arrives, a thread reads it."""

import asyncio
import io
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

CAPACITY = 4 << 20
"""Bytes that may lie between the two; with more, the sender has to wait."""


class Broken(Exception):
    """There is no more to read, though the body has not ended."""


class BodyPipe(io.RawIOBase):
    """A pipe made in the event loop. `fill` runs there; everything else may run in a thread.

    `note` is called with every piece when it is read.
    """

    def __init__(self, note: Callable[[bytes], object] = lambda _: None) -> None:
        self._note = note
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._changed = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._piece = memoryview(b"")
        self._ended = False
        self._broken = False
        self.received = 0
        """Bytes that have arrived so far."""

    async def fill(self, pieces: AsyncIterator[bytes]) -> None:
        """Take all pieces, waiting while the reader is behind. An error of `pieces` breaks the pipe too."""
        try:
            async for piece in pieces:
                self.received += len(piece)
                if not self._put(piece):
                    await self._room.wait()
            with self._changed:
                self._ended = True
                self._changed.notify()
        except BaseException:
            self.break_off()
            raise

    def break_off(self) -> None:
        """Raise `Broken` in every read from now on."""
        with self._changed:
            self._broken = True
            self._changed.notify()

    def check(self) -> None:
        """Raise Broken where the body broke off."""
        if self._broken:
            raise Broken

    def drain(self) -> None:
        """Read to the end, and drop the bytes."""
        while self.read(1 << 20):
            pass

    def peek(self, count: int) -> bytes:
        """Return the first bytes, fewer only where there are no more; they stay to be read."""
        first = b""
        while len(first) < count and (more := self.read(count - len(first))):
            first += more
        self._piece = memoryview(first + self._piece)
        return first

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes, once there are any; return 0 at the end. Raise Broken where the body broke off."""
        if not self._piece:
            self._piece = memoryview(self._take())
        out = memoryview(buffer).cast("B")
        count = min(len(out), len(self._piece))
        out[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

    def _put(self, piece: bytes) -> bool:
        """Whether there is room for more."""
        with self._changed:
            self._held += len(piece)
            if piece:
                self._pieces.append(piece)
                self._changed.notify()
            if self._held < CAPACITY:
                return True
            self._room.clear()
            return False

    def _take(self) -> bytes:
        with self._changed:
            while not (self._pieces or self._ended or self._broken):
                self._changed.wait()
            self.check()
            if not self._pieces:
                return b""
            piece = self._pieces.popleft()
            was_full = self._held >= CAPACITY
            self._held -= len(piece)
            if was_full and self._held < CAPACITY:
                self._loop.call_soon_threadsafe(self._room.set)
        self._note(piece)
        return piece
