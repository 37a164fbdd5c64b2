"""Bodies over the limit get a 413, and every answer that comes before its body has ended waits for some more of it."""

from contextlib import suppress

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.bodies.pace import Pace, PacedSender

READ_AND_THROWN_AWAY = 256 << 20
"""Bytes of a refused body that are still read before the answer: a client that writes all before it reads would
otherwise see a reset connection in place of the answer."""
PAUSE = 2.0
"""Seconds without a byte after which such a client gets its answer all the same: it may be waiting for it. So
does one that keeps us waiting for longer than that in all, and is slow."""


class BodyLimit:
    """ASGI middleware: the app sees at most `limit` bytes of a body; past that, its `receive` raises a 413.

    Datasets that are not JSON are streamed, and may have `upload_limit` bytes.
    """

    def __init__(self, app: ASGIApp, limit: int, upload_limit: int) -> None:
        self.app = app
        self.limit = limit
        self.upload_limit = upload_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = _Body(receive, headers, *self._limit_of(scope, headers))

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start":
                await body.throw_away()
            await send(message)

        await self.app(scope, body.receive, send_after_body)

    def _limit_of(self, scope: Scope, headers: Headers) -> tuple[int, str]:
        if is_streamed_dataset(scope, headers):
            return self.upload_limit, "DESCENT_MAX_UPLOAD"
        return self.limit, "DESCENT_MAX_BODY"


def is_streamed_dataset(scope: Scope, headers: Headers) -> bool:
    """Whether the body of a request is a dataset that is read on arrival."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return scope["method"] == "POST" and scope["path"] == "/api/datasets" and media_type != "application/json"


class _Body:
    """A request's body on its way to the app."""

    def __init__(self, receive: Receive, headers: Headers, limit: int, setting: str) -> None:
        announced = headers.get("content-length", "")
        self._receive = receive
        self._limit = limit
        self._setting = setting
        self._seen = 0
        self._too_large = announced.isdigit() and int(announced) > limit
        # a client that waits for a word before it sends (Expect: 100-continue) gets the answer in place of it
        self._begun = "expect" not in headers
        self._ended = announced in ("", "0") and "transfer-encoding" not in headers

    async def receive(self) -> Message:
        if not self._too_large:
            self._begun = True
            message = await self._receive()
            self._note(message)
            self._too_large = self._seen > self._limit
            if not self._too_large:
                return message
        # Starlette's own class: FastAPI turns every other exception of a `receive` into a 400.
        raise HTTPException(413, f"The body is larger than {self._limit:,} bytes ({self._setting}).")

    async def throw_away(self) -> None:
        """Read the rest of a body that the app has not read to its end."""
        enough = self._seen + READ_AND_THROWN_AWAY
        sender = PacedSender(self._receive, Pace(grace=PAUSE, silence=PAUSE))
        with suppress(TimeoutError):
            while self._begun and not self._ended and self._seen < enough:
                self._note(await sender.receive())

    def _note(self, message: Message) -> None:
        self._seen += len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
