"""Offers to speak another protocol, which are ignored, and bodies, which must not come with one."""

import pytest

from tests.support.connections import ASK, SEND, Connection, talk

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


def test_an_offer_of_another_protocol_is_ignored() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(ASK + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a2V5\r\n\r\n")
        assert await connection.answer() == (200, b"0")

    talk(story)


@pytest.mark.parametrize("length", [b"", b"Content-Length: 0\r\n"])
def test_a_request_sent_together_with_an_offer_is_answered_too(length: bytes) -> None:
    async def story(connection: Connection) -> None:
        await connection.send((SEND + OFFER + length + b"\r\n") * 2 + SEND + b"Content-Length: 2\r\n\r\nxx")
        for answer in (b"0", b"0", b"2"):
            assert await connection.answer() == (200, answer)

    assert talk(story).seen == ["POST 0", "POST 0", "POST 2"]


HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("together", [True, False], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("offer", "body"),
    [
        (SEND + OFFER + b"Content-Length: %d\r\n\r\n" % len(HIDDEN), HIDDEN),
        (SEND + OFFER + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)),
        (b"CONNECT localhost:80 HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN), HIDDEN),
    ],
    ids=["of a length", "in chunks", "CONNECT"],
)
def test_a_body_with_an_offer_is_400_and_never_a_request(offer: bytes, body: bytes, together: bool) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(*([offer + body] if together else [offer, body]))
        answer = await connection.problem()
        assert (answer["status"], answer["code"]) == (400, "upgrade_with_body")
        assert "without the Upgrade header" in answer["detail"]

    assert talk(story).seen == []


def test_without_the_word_in_connection_it_is_no_offer() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(SEND + b"Upgrade: h2c\r\nContent-Length: 2\r\n\r\n", b"xx")
        assert await connection.answer() == (200, b"2")

    talk(story)
