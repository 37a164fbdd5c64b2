"""Content codings: bodies that come compressed reach the routes plain, and answers may be compressed.

RFC 9110: 8.4.1 for the codings, 12.5.3 for `Accept-Encoding`.
"""

import zlib

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Invalid, TooLarge, WrongFormat, invalid
from service.http.bodies.body_limit import is_streamed_dataset
from service.http.media_types import weights
from service.http.unpacking import check_ratio, room

WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""zlib's numbers for the containers of each coding; that of `deflate` is zlib's own."""
OF_ANSWERS = ("gzip", "deflate")
"""Codings of answers; of two that are equally welcome, the first is taken."""
SMALL = 1 << 10
"""Bytes that fit a packet or so: compression saves nothing there."""
LEVEL = 1
"""Level of compression; numbers hardly become smaller with more work."""
HEADERS_OF_THE_CODING = (b"content-encoding", b"content-length")


class CompressedBodies:
    """ASGI middleware: undoes gzip and deflate; the app sees at most `limit` unpacked bytes.

    Streamed datasets pass as they are: their reader undoes their compression on the way to the disk.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and any(name == b"content-encoding" for name, _ in scope["headers"]):
            headers = Headers(scope=scope)
            coding = ", ".join(headers.getlist("content-encoding")).strip().lower()
            if coding not in ("", "identity") and not is_streamed_dataset(scope, headers):
                receive = decoded(coding, self.limit, receive)
                kept = [header for header in scope["headers"] if header[0] not in HEADERS_OF_THE_CODING]
                scope = {**scope, "headers": kept}
        await self.app(scope, receive, send)


def decoded(coding: str, limit: int, receive: Receive) -> Receive:
    """Return a `receive` of the decompressed body, which raises an error about its faults."""
    inflate = Inflate(coding, limit) if coding in WINDOWS else None

    async def receive_decoded() -> Message:
        message = await receive()
        if message["type"] != "http.request":
            return message
        if inflate is None:
            raise WrongFormat(f"Bodies are read as they are, as gzip or as deflate, but not as {coding[:50]!r}.")
        last = not message.get("more_body", False)
        # in a thread: a small piece may become a large one
        return {**message, "body": await run_in_threadpool(inflate, message.get("body", b""), last)}

    return receive_decoded


class Inflate:
    """A decompressor of a body, piece by piece, up to `limit` bytes.

    Raises:
        TooLarge: there is more, or far more than has arrived.
        Invalid: the bytes are not of this coding, end before it does, or go on afterwards.
    """

    def __init__(self, coding: str, limit: int) -> None:
        self._coding = coding
        self._limit = limit
        self._packed = self._unpacked = 0
        self._stream = zlib.decompressobj(WINDOWS[coding])
        self._begun = False

    def __call__(self, piece: bytes, last: bool) -> bytes:
        self._begun = self._begun or bool(piece)
        try:
            self._packed += len(piece)
            most = min(self._limit, room(self._packed)) - self._unpacked
            plain = self._stream.decompress(piece, most + 1)
        except zlib.error as error:
            raise self._malformed(f"is not {self._coding}: {error}") from None
        self._unpacked += len(plain)
        if self._unpacked > self._limit:
            detail = f"The body is larger than {self._limit:,} bytes once decompressed (DESCENT_MAX_BODY)."
            raise TooLarge(detail)
        check_ratio(self._packed, self._unpacked)
        if self._stream.unused_data:
            raise self._malformed(f"goes on after the end of its {self._coding}")
        if last and self._begun and not self._stream.eof:
            raise self._malformed(f"ends before its {self._coding} does")
        return plain

    def _malformed(self, what: str) -> Invalid:
        return invalid("#", f"The body {what}.", "malformed")


def coding_for(accepted: str, size: int) -> str | None:
    """Return the coding of an answer of `size` bytes to this `Accept-Encoding`; None where it is sent plain."""
    if size < SMALL or not accepted:
        return None
    weight = weights(accepted)
    welcome = {coding: weight.get(coding, weight.get("*", 0.0)) for coding in OF_ANSWERS}
    best = max(welcome, key=lambda coding: welcome[coding])
    return best if welcome[best] > 0 else None


def compress(body: bytes, coding: str) -> bytes:
    stream = zlib.compressobj(LEVEL, wbits=WINDOWS[coding])
    return stream.compress(body) + stream.flush()
