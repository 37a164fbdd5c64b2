"""A body on its way from a coroutine to a thread."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service.datasets.ingest import pipe
from service.datasets.ingest.pipe import BodyPipe


def test_a_sender_waits_for_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "CAPACITY", 1)

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b"a", b"b", b"c"):
            yield piece

    async def read_slowly() -> bytes:
        slow = BodyPipe()
        pouring = asyncio.create_task(slow.fill(pieces()))
        done, _ = await asyncio.wait([pouring], timeout=0.05)
        assert not done
        read = await asyncio.to_thread(lambda: b"".join(iter(lambda: slow.read(1) or b"", b"")))
        await pouring
        return read

    assert asyncio.run(read_slowly()) == b"abc"
