"""A few large bodies are worked on at once; the next waits a while and is told to come again."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from service import large_bodies
from service.errors import Unavailable
from service.large_bodies import AT_ONCE, LARGE, LargeBodies


class Requests:
    """An app behind `LargeBodies` that reads each body and answers once it may."""

    def __init__(self) -> None:
        self.app = LargeBodies(self.read)
        self.read_to_the_end = 0
        self.may_answer = asyncio.Event()

    async def read(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body", False):
            pass
        self.read_to_the_end += 1
        await self.may_answer.wait()

    async def begin(self, *, size: int = 2 * LARGE, path: str = "/api/models", **headers: str) -> "asyncio.Task[None]":
        """Send a body in two pieces, and wait until it has been read or waits for its turn."""
        pieces = [size // 2, size - size // 2]

        async def receive() -> Message:
            return {"type": "http.request", "body": bytes(pieces.pop(0)), "more_body": bool(pieces)}

        async def send(message: Message) -> None: ...

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": raw}
        task = asyncio.create_task(self.app(scope, receive, send))
        for _ in range(5):
            await asyncio.sleep(0)
        return task


def test_a_large_body_too_many_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        requests = Requests()
        held = [await requests.begin() for _ in range(AT_ONCE)]
        assert requests.read_to_the_end == AT_ONCE
        monkeypatch.setattr(large_bodies, "PATIENCE", 0.01)
        with pytest.raises(Unavailable, match="send this one again") as refused:
            await (await requests.begin())
        assert refused.value.code == "busy"
        requests.may_answer.set()
        await asyncio.gather(*held)

    asyncio.run(run())


def test_a_large_body_gets_the_turn_of_one_that_is_answered() -> None:
    async def run() -> None:
        requests = Requests()
        held = [await requests.begin() for _ in range(AT_ONCE + 1)]
        assert requests.read_to_the_end == AT_ONCE
        requests.may_answer.set()
        await asyncio.gather(*held)
        assert requests.read_to_the_end == AT_ONCE + 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "other",
    [
        {"size": LARGE, "content_length": str(LARGE)},
        {"size": LARGE},
        {"path": "/api/datasets", "content_type": "text/csv"},
    ],
    ids=["announced as small", "small", "a streamed dataset"],
)
def test_other_bodies_need_no_turn(other: dict[str, Any]) -> None:
    async def run() -> None:
        requests = Requests()
        held = [await requests.begin() for _ in range(AT_ONCE)]
        held.append(await requests.begin(**other))
        assert requests.read_to_the_end == AT_ONCE + 1
        requests.may_answer.set()
        await asyncio.gather(*held)

    asyncio.run(run())
