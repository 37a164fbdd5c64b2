"""Connections whose requests are too large in their headers, or take too long to arrive."""

import asyncio

import pytest

from service.http.request_limits import Limits
from tests.support.connections import ASK, QUICK, SEND, Connection, talk


def headers(count: int, size: int) -> list[bytes]:
    """Make `count` header lines with values of `size` bytes."""
    return [b"X-%03d: %s\r\n" % (number, b"v" * size) for number in range(count)]


@pytest.mark.parametrize(
    "pieces",
    [
        [ASK, *headers(99, 1), b"\r\n"],
        [ASK, *headers(63, 1000), b"\r\n"],
        [b"GET /" + b"p" * 60_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ],
    ids=["100 headers", "63 KB of headers", "60 KB of path"],
)
def test_headers_up_to_the_limits_are_taken(pieces: list[bytes]) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(*pieces)
        assert await connection.answer() == (200, b"0")
        await connection.send(b"".join(pieces))
        assert await connection.answer() == (200, b"0")

    talk(story)


@pytest.mark.parametrize("together", [True, False], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    "pieces",
    [
        [ASK, *headers(100, 1), b"\r\n"],
        [ASK, *headers(70, 1000), b"\r\n"],
        [ASK, b"X: " + b"v" * (64 << 10), b"\r\n\r\n"],
        [b"GET /", b"p" * (64 << 10), b" HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        [ASK, b"X: ", *[b"v" * (1 << 20)] * 20],
        [ASK, *headers(100_000, 1)],
        [b"GET /", *[b"p" * (1 << 20)] * 20],
    ],
    ids=["101 headers", "70 KB", "one long", "long path", "endless value", "endless headers", "endless path"],
)
def test_headers_past_the_limits_are_431(pieces: list[bytes], together: bool) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(*([b"".join(pieces)] if together else pieces))
        answer = await connection.problem()
        assert (answer["status"], answer["code"]) == (431, "headers_too_large")
        assert "100" in answer["detail"]
        assert "65,536" in answer["detail"]

    assert talk(story).seen == []


def test_a_refused_request_of_the_inference_protocol_has_its_error() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(b"GET /v2/health/live?x=1 HTTP/1.1\r\n", *headers(101, 1), b"\r\n")
        answer = await connection.problem()
        assert (answer["instance"], answer["error"]) == ("/v2/health/live", answer["detail"])

    talk(story)


def test_each_request_of_a_connection_has_the_whole_limit() -> None:
    async def story(connection: Connection) -> None:
        for _ in range(3):
            await connection.send(SEND, *headers(50, 1000), b"Content-Length: 100000\r\n\r\n", bytes(100_000))
            assert await connection.answer() == (200, b"100000")
        await connection.send(ASK, *headers(101, 1), b"\r\n")
        assert (await connection.problem())["status"] == 431

    talk(story)


def test_requests_sent_together_are_counted_apart() -> None:
    async def story(connection: Connection) -> None:
        one = SEND + b"".join(headers(30, 1000)) + b"Content-Length: 90000\r\n\r\n" + bytes(90_000)
        await connection.send(one * 4)
        for _ in range(4):
            assert await connection.answer() == (200, b"90000")

    talk(story)


@pytest.mark.parametrize(
    "trailers",
    [headers(102, 1), [b"X: ", *[b"v" * (1 << 18)] * 20]],
    ids=["many", "endless"],
)
def test_trailers_past_the_limits_are_431(trailers: list[bytes]) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(SEND + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", *trailers)
        assert (await connection.problem())["status"] == 431

    assert talk(story).seen == ["disconnect"]


def test_trailers_do_not_become_headers() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(SEND + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nIdempotency-Key: 1\r\n\r\n")
        assert await connection.answer() == (200, b"1")

    assert [name for name, _ in talk(story).headers[0]] == [b"host", b"transfer-encoding"]


def test_what_is_no_http_is_a_problem_too() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(b"\x16\x03\x01 hello\r\n\r\n")
        answer = await connection.problem()
        assert (answer["status"], answer["code"]) == (400, "malformed")

    assert talk(story).seen == []


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "an empty line"])
def test_a_connection_on_which_nothing_is_asked_is_closed(sent: bytes) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(sent)
        assert await connection.reader.read() == b""

    assert talk(story, QUICK).seen == []


@pytest.mark.parametrize("sent", [b"G", ASK, ASK + b"X: v"])
def test_headers_that_do_not_end_are_408(sent: bytes) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(sent)
        answer = await connection.problem()
        assert (answer["status"], answer["code"]) == (408, "too_slow")
        assert "0.2 seconds" in answer["detail"]

    assert talk(story, QUICK).seen == []


@pytest.mark.parametrize("sent", [b"Content-Length: 9\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n3\r\nab"])
def test_a_body_that_does_not_end_is_408(sent: bytes) -> None:
    async def story(connection: Connection) -> None:
        await connection.send(ASK + b"\r\n")
        assert await connection.answer() == (200, b"0")
        await connection.send(SEND + sent)
        answer = await connection.problem()
        assert (answer["status"], answer["instance"]) == (408, "/there")

    assert talk(story, QUICK).seen == ["GET 0", "disconnect"]


def test_a_body_that_never_stops_to_trickle_is_408() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(SEND + b"Content-Length: 1000000\r\n\r\n")
        answering = asyncio.create_task(connection.problem())
        while not answering.done():
            await connection.send(b"x")
            await asyncio.wait([answering], timeout=0.01)
        assert (await answering)["status"] == 408

    assert talk(story, QUICK).seen == ["disconnect"]


def test_what_has_arrived_buys_time_for_the_rest() -> None:
    """At ten bytes a second, a thousand bytes are good for longer than the test."""

    async def story(connection: Connection) -> None:
        await connection.send(SEND + b"Content-Length: 1001\r\n\r\n", bytes(1000))
        _, waiting = await asyncio.wait([asyncio.create_task(connection.answer())], timeout=1)
        assert len(waiting) == 1  # five times the grace has passed
        await connection.send(b"x")
        assert await waiting.pop() == (200, b"1001")

    talk(story, Limits(grace=0.2, rate=10, silence=60))


def test_silence_ends_a_request_whatever_has_arrived_before() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(SEND + b"Content-Length: 1001\r\n\r\n", bytes(1000))
        assert (await connection.problem())["status"] == 408

    talk(story, Limits(grace=0.2, rate=0.001, silence=0.4))


def test_nobody_is_late_while_the_service_works() -> None:
    async def story(connection: Connection) -> None:
        connection.app.may_answer.clear()
        await connection.send(SEND + b"Content-Length: 2\r\n\r\nxx")
        _, waiting = await asyncio.wait([asyncio.create_task(connection.answer())], timeout=1)
        connection.app.may_answer.set()
        assert await waiting.pop() == (200, b"2")

    talk(story, QUICK)


def test_nobody_is_late_who_waits_for_the_word_to_go_on() -> None:
    async def story(connection: Connection) -> None:
        connection.app.may_answer.clear()
        await connection.send(ASK + b"\r\n" + SEND + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        word = asyncio.create_task(connection.reader.readuntil(b"100 Continue\r\n\r\n"))
        await asyncio.wait([word], timeout=1)
        connection.app.may_answer.set()
        await word
        await connection.send(b"xx")
        assert await connection.answer() == (200, b"2")

    talk(story, Limits(grace=0.3, rate=1e9, silence=60))


def test_what_is_asked_has_its_answer_before_its_strange_body_ends_it() -> None:
    async def story(connection: Connection) -> None:
        await connection.send(SEND + b'\r\n{"inputs": [[1]]}')
        assert await connection.answer() == (200, b"0")
        assert await connection.reader.read() == b""

    talk(story)
