"""A few large bodies are worked on at once; the next waits a while, and is then asked to be sent again."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from service.errors import RequestTimeout, Unavailable
from service.http.bodies import large_bodies
from service.http.bodies.large_bodies import AT_ONCE, LARGE, LargeBodies
from service.http.bodies.pace import USUAL, Pace


class Requests:
    """An app behind `LargeBodies` that reads each body and answers once it may."""

    def __init__(self, pace: Pace = USUAL) -> None:
        self.app = LargeBodies(self.read, pace)
        self.read_to_the_end = 0
        self.too_slow: list[RequestTimeout] = []
        self.may_answer = asyncio.Event()

    async def read(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive()).get("more_body", False):
                pass
        except RequestTimeout as error:
            self.too_slow.append(error)
            await self.may_answer.wait()
            return
        self.read_to_the_end += 1
        await self.may_answer.wait()

    async def begin(
        self, *, size: int = 2 * LARGE, path: str = "/api/models", then: Receive | None = None, **headers: str
    ) -> "asyncio.Task[None]":
        """Send a body in two pieces or as `then` goes on, and wait until it has been read or waits for something."""
        pieces = [size // 2, size - size // 2]

        async def receive() -> Message:
            if then is not None and not pieces:
                return await then()
            return {"type": "http.request", "body": bytes(pieces.pop(0)), "more_body": then is not None or bool(pieces)}

        async def send(message: Message) -> None: ...

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": raw}
        task = asyncio.create_task(self.app(scope, receive, send))
        for _ in range(5):
            await asyncio.sleep(0)  # the loop goes round: the start, two pieces, and the wait for a turn
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


def test_large_bodies_that_trickle_are_408_and_free_their_turns_at_once() -> None:
    async def receive() -> Message:
        await asyncio.sleep(0.01)  # far slower than the pace, and the loop goes on meanwhile
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def run() -> None:
        requests = Requests(Pace(grace=0.1, rate=1e6))
        slow = [await requests.begin(then=receive) for _ in range(AT_ONCE)]
        while len(requests.too_slow) < AT_ONCE:
            await asyncio.wait(slow, timeout=0.01)
        refused = requests.too_slow[0]
        assert (refused.status, refused.code) == (408, "too_slow")
        assert "1,000,000 bytes a second" in refused.detail
        held = [await requests.begin() for _ in range(AT_ONCE)]
        assert requests.read_to_the_end == AT_ONCE  # although the four have yet to take their answers
        requests.may_answer.set()
        await asyncio.gather(*held, *slow)

    asyncio.run(run())


def test_the_time_that_the_service_takes_for_a_large_body_is_its_own() -> None:
    pace = Pace(grace=0.1, rate=1e9)
    pieces = [bytes(LARGE)] * 5

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(), "more_body": bool(pieces)}

    async def read(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:  # noqa: ASYNC110 - the sleep is work on a piece
            await asyncio.sleep(pace.grace)  # as long as a client may take

    async def send(message: Message) -> None: ...

    async def run() -> None:
        await LargeBodies(read, pace)({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)

    asyncio.run(run())
    assert pieces == []
