"""The body as an app sees it, and the part of an unwanted one that is read before the answer."""

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from service.http.bodies import body_limit
from service.http.bodies.body_limit import BodyLimit

PIECE = 100
LIMIT, UPLOAD_LIMIT = 250, 450


class Client:
    """A client that sends pieces of `PIECE` bytes as long as the app receives them, and takes the answer."""

    def __init__(self, size: int, headers: dict[str, str] | None = None, path: str = "/api/models") -> None:
        given = {"content-length": str(size), **(headers or {})}
        self.scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        }
        self.size = size
        self.sent = 0
        self.sent_at_answer: int | None = None

    async def receive(self) -> Message:
        piece = min(PIECE, self.size - self.sent)
        self.sent += piece
        return {"type": "http.request", "body": bytes(piece), "more_body": self.sent < self.size}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.sent_at_answer = self.sent


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that reads its body and answers, with an error where that fails."""
    status, more = 200, True
    try:
        while more:
            more = (await receive())["more_body"]
    except HTTPException as error:
        status = error.status_code
        scope["detail"] = error.detail
    await send({"type": "http.response.start", "status": status, "headers": []})
    scope["status"] = status


async def deaf(_scope: Scope, _receive: Receive, send: Send) -> None:
    """An app that answers without having read."""
    await send({"type": "http.response.start", "status": 409, "headers": []})


def run(app: Any, client: Client) -> Client:
    limited = BodyLimit(app, limit=LIMIT, upload_limit=UPLOAD_LIMIT)
    asyncio.run(limited(client.scope, client.receive, client.send))
    return client


@pytest.mark.parametrize("length", [{}, {"content-length": "", "transfer-encoding": "chunked"}])
@pytest.mark.parametrize(("size", "status"), [(250, 200), (251, 413)])
def test_a_body_over_the_limit_is_413_announced_or_not(length: dict[str, str], size: int, status: int) -> None:
    client = run(reading, Client(size, length))
    assert client.scope["status"] == status
    assert client.sent == size


@pytest.mark.parametrize(("kind", "setting"), [("text/csv", "MAX_UPLOAD"), ("application/json; x=1", "MAX_BODY")])
def test_datasets_that_are_streamed_have_a_limit_of_their_own(kind: str, setting: str) -> None:
    client = run(reading, Client(451, {"content-type": kind}, "/api/datasets"))
    assert client.scope["status"] == 413
    assert f"DESCENT_{setting}" in client.scope["detail"]
    fitting = run(reading, Client(450, {"content-type": kind}, "/api/datasets"))
    assert fitting.scope["status"] == (200 if setting == "MAX_UPLOAD" else 413)


def test_an_early_answer_waits_until_the_body_has_been_thrown_away() -> None:
    assert run(deaf, Client(240)).sent_at_answer == 240


def test_no_more_than_so_much_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "READ_AND_THROWN_AWAY", 1000)
    assert run(deaf, Client(10_000)).sent_at_answer == 1000
    assert run(reading, Client(10_000)).sent_at_answer == 1000


def test_a_client_that_expects_100_continue_gets_the_answer_at_once() -> None:
    assert run(deaf, Client(240, {"expect": "100-continue"})).sent_at_answer == 0


def test_a_client_that_pauses_gets_the_answer_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "PAUSE", 0.01)

    class Pausing(Client):
        async def receive(self) -> Message:
            if self.sent == PIECE:
                await asyncio.Event().wait()
            return await super().receive()

    assert run(deaf, Pausing(240)).sent_at_answer == PIECE


def test_a_client_that_trickles_gets_the_answer_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "PAUSE", 0.05)

    class Trickling(Client):
        async def receive(self) -> Message:
            await asyncio.sleep(0.01)  # a piece after the other
            return await super().receive()

    size = 1 << 20
    assert 0 < (run(deaf, Trickling(size)).sent_at_answer or 0) < size


def test_nothing_is_received_of_a_request_without_a_body() -> None:
    client = Client(0)
    run(deaf, client)
    assert client.sent_at_answer == 0
