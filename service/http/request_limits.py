"""The HTTP protocol of one connection: uvicorn's, with limits on headers and on the time that a request takes."""

import asyncio
import math
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from service.errors import BadRequest, DescentError, HeadersTooLarge, RequestTimeout
from service.http.bodies.body_limit import READ_AND_THROWN_AWAY
from service.http.request_context import HEADER, new_request_id

LINGER = 5.0
"""Seconds that a refused client has to read its answer, while the rest of its request is thrown away."""
LONGEST_INSTANCE = 1000
"""Bytes of a path that an answer repeats."""


@dataclass(frozen=True)
class Limits:
    """Limits on the size of a request's headers, and on the slowness of a request."""

    header_bytes: int = 64 << 10
    """Bytes of the request line and all headers, trailers included."""
    headers: int = 100
    grace: float = 10.0
    """Seconds from the first byte on in which any rate will do; also those until a new connection sends a byte."""
    rate: float = 1024.0
    """Bytes a second that have to arrive from then on, on the average."""
    silence: float = 60.0
    """Seconds that may pass without a byte, however many have arrived before; also those without a byte of an answer
    being read."""


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits on size and time, which it leaves to the client.

    httptools joins the pieces of a header by itself and shows it when it is whole, so bytes are counted as they arrive.
    No request pays for a timer of its own: the one of the connection is moved when it fires.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        limits: Limits = Limits(),
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits = limits
        self.headers = []
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._was_servers_turn = False
        self._head_is_open = False
        self._message_is_open = False
        self._is_refused = False
        self._chunk = 0
        self._arrived = 0
        """Bytes since the message began, the whole chunk in which it did included."""
        self._unseen = 0
        """Bytes of chunks in which no message began and no body was: of headers, or of the framing of a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._start_clock()
        self._timer = self.loop.call_at(self._due, self._check_clock)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._timer, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._reading is not None and not self.transport.is_closing():
            self._reading.cancel()
            self._reading = None

    def data_received(self, data: bytes) -> None:
        self._chunk = len(data)
        self._arrived += self._chunk
        self._unseen += self._chunk
        if self._is_refused:
            if self._unseen > READ_AND_THROWN_AWAY:
                self.transport.close()
            return
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            reason = error.__context__
            self._refuse(reason if isinstance(reason, DescentError) else _malformed(error))
        else:
            self._due = min(self._due + self._chunk / self.limits.rate, self.loop.time() + self.limits.silence)
            if self._unseen > self.limits.header_bytes or len(self.headers) > self.limits.headers:
                self._refuse(self._too_large())

    def _parse(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as offer:  # it may be ignored (RFC 9110, 7.8)
                rest = memoryview(rest)[offer.args[0] :]
            else:
                return

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_is_open = self._message_is_open = True
        self._arrived, self._unseen = self._chunk, 0
        self._start_clock()

    def on_headers_complete(self) -> None:
        if len(self.headers) > self.limits.headers or (
            self._arrived > self.limits.header_bytes and self._head_size() > self.limits.header_bytes
        ):
            raise self._too_large()
        if self.parser.should_upgrade() and self._announces_body():  # the parser would take the body for a request
            raise BadRequest(
                "A request that offers to upgrade the connection, or is a CONNECT, may have no body here: send it "
                "without the Upgrade header.",
                "upgrade_with_body",
            )
        super().on_headers_complete()
        self._head_is_open = False
        self.headers = []  # trailers are no headers (RFC 9110, 6.5.1), and come too late for the checks of these

    def on_body(self, body: bytes) -> None:
        self._unseen = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._message_is_open = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._start_clock()
        super().on_response_complete()

    def _head_size(self) -> int:
        """Return the bytes of the request line and of the headers that are whole, with two separators each."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _announces_body(self) -> bool:
        return any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 \t") != b"")
            for name, value in self.headers
        )

    def _too_large(self) -> HeadersTooLarge:
        size = f"{self.limits.header_bytes:,} bytes with the request line"
        return HeadersTooLarge(f"Headers may be {self.limits.headers}, and {size}.", "headers_too_large")

    def _start_clock(self) -> None:
        self._due = self.loop.time() + self.limits.grace

    def _check_clock(self) -> None:
        if not self._is_clients_turn():
            self._start_clock()
            self._was_servers_turn = True
        elif self._was_servers_turn:  # its turn began somewhere in between
            self._start_clock()
            self._was_servers_turn = False
        elif self.loop.time() >= self._due:
            self._time_out()
            return
        self._timer = self.loop.call_at(self._due, self._check_clock)

    def _is_clients_turn(self) -> bool:
        if self._message_is_open:
            cycle = self._last_cycle()
            return not (self.flow.read_paused or (cycle is not None and cycle.waiting_for_100_continue))
        return self._is_idle()

    def _last_cycle(self) -> RequestResponseCycle | None:
        """Return the request whose headers arrived last, where there was one."""
        return self.cycle

    def _is_idle(self) -> bool:
        """Whether each request has its answer."""
        cycle = self._last_cycle()
        return cycle is None or cycle.response_complete

    def _time_out(self) -> None:
        if self._message_is_open:
            detail = (
                f"The request arrives too slowly: after {self.limits.grace:g} seconds, {self.limits.rate:,.0f} bytes a "
                f"second are expected, and no pause of more than {self.limits.silence:g} seconds."
            )
            self._refuse(RequestTimeout(detail, "too_slow"))
        else:
            self._close()  # nothing was asked

    def _refuse(self, error: DescentError) -> None:
        """Answer the arriving request, where an answer can still be told from others, and read no more of it."""
        self._is_refused, self._unseen = True, 0
        self._unset_keepalive_if_required()
        if self._head_is_open and not (self.pipeline or self._is_idle()):
            self.cycle.keep_alive = False  # what was asked before, perhaps without Content-Length, has its answer first
            return
        if self._is_unanswered():
            self._write_answer(error)
            self.flow.resume_reading()  # closed with bytes unread, a connection is reset, and the answer may be lost
            self._end_within(LINGER)
        else:
            self._close()
        if not self._is_idle():
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _end_within(self, seconds: float) -> None:
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._close)

    def _close(self) -> None:
        self.transport.close()  # this waits until all answers are sent
        if self._reading is None:
            self._expect_reading()

    def _expect_reading(self, unsent: float = math.inf) -> None:
        """Give the connection up, with what is unsent, when the client reads none of it for too long."""
        left = self.transport.get_write_buffer_size()
        if left >= unsent:
            self.transport.abort()
        else:
            self._reading = self.loop.call_later(self.limits.silence, self._expect_reading, left)

    def _is_unanswered(self) -> bool:
        """Whether a client would take an answer written now as that to the arriving message."""
        if self.pipeline:
            return False
        if self._head_is_open or self._last_cycle() is None:
            return self._is_idle()
        return not self.cycle.response_started

    def _write_answer(self, error: DescentError) -> None:
        path = getattr(self, "url", b"").partition(b"?")[0]
        from service.http.problems import problem_of  # here: the service listens before it imports FastAPI

        response = problem_of(path.decode("latin-1") if len(path) <= LONGEST_INSTANCE else "", error)
        own = (HEADER, new_request_id()), (b"connection", b"close")
        headers = [*self.server_state.default_headers, *response.raw_headers, *own]
        lines = [STATUS_LINE[response.status_code], *(b"%s: %s\r\n" % header for header in headers), b"\r\n"]
        self.transport.write(b"".join([*lines, response.body]))


def _malformed(error: httptools.HttpParserError) -> BadRequest:
    return BadRequest(f"This is not an HTTP/1.1 request that can be read: {error}", "malformed")
