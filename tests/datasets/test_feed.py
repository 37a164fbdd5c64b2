"""A body on its way from a coroutine to a thread."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.datasets import feed
from service.datasets.feed import Broken, Feed
from service.errors import Unavailable


def test_a_sender_that_falls_silent_breaks_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PATIENCE", 0.01)

    async def falls_silent() -> AsyncIterator[bytes]:
        yield b"x,y"
        await asyncio.Event().wait()

    async def poured() -> Feed:
        pouring = Feed()
        with pytest.raises(Unavailable, match=r"0\.01 seconds"):
            await pouring.pour(falls_silent())
        return pouring

    broken = asyncio.run(poured())
    assert broken.received == 3
    with pytest.raises(Broken):
        broken.read(1)


def test_a_sender_who_waits_for_the_reader_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PATIENCE", 0.01)
    monkeypatch.setattr(feed, "CAPACITY", 1)

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b", b"c"):
            yield piece

    async def read_slowly() -> bytes:
        slow = Feed()
        pouring = asyncio.create_task(slow.pour(pieces()))
        done, _ = await asyncio.wait([pouring], timeout=0.05)  # five times what a silent sender has
        assert not done
        read = await asyncio.to_thread(lambda: b"".join(iter(lambda: slow.read(1) or b"", b"")))
        await pouring
        return read

    assert asyncio.run(read_slowly()) == b"abc"
