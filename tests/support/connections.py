"""A connection to a server with the protocol of the service, and an app that records what it saw."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from service.http.request_limits import HttpProtocol, Limits

QUICK = Limits(grace=0.2, rate=1e9, silence=0.2)
"""Limits by which a silent client is soon late."""
USUAL = Limits()
ENOUGH = 20.0
"""Seconds after which a test that waits has failed."""
ASK = b"GET /there HTTP/1.1\r\nHost: localhost\r\n"
SEND = b"POST /there HTTP/1.1\r\nHost: localhost\r\n"


class App:
    """An app that reads each body to its end, answers with its length, and notes both."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.padding = 0
        """Bytes that an answer has beside the length."""
        self.pieces = 1
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        self.headers.append(scope["headers"])
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.seen.append("disconnect")
                return
            size, more = size + len(message["body"]), message["more_body"]
        await self.may_answer.wait()
        self.seen.append(f"{scope['method']} {size}")
        body = str(size).encode() + bytes(self.padding)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        step = -(-len(body) // self.pieces)
        for begin in range(0, len(body), step):
            more = begin + step < len(body)
            await send({"type": "http.response.body", "body": body[begin : begin + step], "more_body": more})


class Connection:
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, app: App, state: ServerState
    ) -> None:
        self.reader, self.writer, self.app, self.state = reader, writer, app, state

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """The status and the body of the next answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ") for line in head.splitlines()[1:-1])
        return int(head.split()[1]), await self.reader.readexactly(int(fields[b"content-length"]))

    async def problem(self) -> dict[str, Any]:
        """The problem that ends this connection."""
        status, body = await self.answer()
        answer: dict[str, Any] = json.loads(body)
        assert answer["status"] == status
        assert await self.reader.read() == b""
        return answer


async def ended(state: ServerState) -> None:
    """Wait until the server has no connection and works on nothing."""
    while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.001)  # until the next look


def talk(story: Callable[[Connection], Awaitable[None]], limits: Limits = USUAL) -> App:
    """Tell the story over a connection to a server with these limits; return its app."""

    async def told() -> App:
        app, state = App(), ServerState()
        config = uvicorn.Config(app, ws="none", lifespan="off", log_config=None)
        protocol = partial(HttpProtocol, config, state, {}, limits=limits)
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        async with server, asyncio.timeout(ENOUGH):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            try:
                await story(Connection(reader, writer, app, state))
            finally:
                writer.close()
                await ended(state)
        return app

    return asyncio.run(told())
