"""Clients that read their answers slowly, or not at all."""

import asyncio

import pytest

from service.http.request_limits import Limits
from tests.support.connections import ASK, QUICK, Connection, ended, talk

MUCH = 40 << 20
"""Bytes: more than the system takes over from a server whose client does not read."""


@pytest.mark.parametrize("pieces", [1, 40], ids=["an answer of one piece", "a stream"])
@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"], ids=["to be kept", "to be closed"])
def test_a_client_that_never_reads_its_answer_loses_the_connection(pieces: int, last: bytes) -> None:
    async def story(connection: Connection) -> None:
        connection.app.padding, connection.app.pieces = MUCH, pieces
        await connection.send(ASK + last + b"\r\n")
        await ended(connection.state)

    talk(story, QUICK)


@pytest.mark.parametrize("pieces", [1, 40], ids=["an answer of one piece", "a stream"])
def test_a_client_that_reads_slowly_gets_its_whole_answer(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes several times the silence that ends a connection."""
    limits = Limits(grace=0.2, rate=1e9, silence=0.5)
    reads = 160

    async def story(connection: Connection) -> None:
        connection.app.padding, connection.app.pieces = MUCH, pieces
        await connection.send(ASK + b"\r\n")
        await connection.reader.readuntil(b"\r\n\r\n")
        loop, left = asyncio.get_running_loop(), MUCH + 1
        now = loop.time()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "time", lambda: now)  # time passes by reads alone, and not while the machine is busy
            while left:
                now += 4 * limits.silence / reads
                await asyncio.sleep(0)  # the server writes, and looks at its clock
                left -= len(await connection.reader.readexactly(min(left, MUCH // reads)))

    talk(story, limits)
