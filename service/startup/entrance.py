"""The stand-in for the application while it loads: the service is live at once, and other requests wait."""

import asyncio
import json

from starlette.types import ASGIApp, Receive, Scope, Send

from service.http.request_context import HEADER, new_request_id

LIVE = "/health/live"


class Entrance:
    """An ASGI application that answers for liveness itself, and passes every other request on once it is opened."""

    def __init__(self) -> None:
        self._decided = asyncio.Event()
        self._app: ASGIApp | None = None

    def open(self, app: ASGIApp) -> None:
        """Pass waiting and future requests on to the application."""
        self._app = app
        self._decided.set()

    def close(self) -> None:
        """Refuse the requests that still wait: the service stops."""
        self._decided.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None and (scope["method"], scope["path"]) == ("GET", LIVE):
            await _answer(send, 200, {"status": "live"})
            return
        await self._decided.wait()
        if self._app is None:
            await _answer(send, 503, _stopped(scope["path"]))
        else:
            await self._app(scope, receive, send)


def _stopped(path: str) -> dict[str, object]:
    """Return the problem that the application would answer, were it loaded."""
    detail = "The service was stopped while it started: try again."
    known = {"type": "about:blank", "title": "Unavailable", "status": 503, "instance": path, "code": "stopping"}
    return {**known, "detail": detail, "errors": [], **({"error": detail} if path.startswith("/v2/") else {})}


async def _answer(send: Send, status: int, content: dict[str, object]) -> None:
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    if status == 200:
        headers.append((b"content-type", b"application/json"))
    else:
        headers += [(b"content-type", b"application/problem+json"), (b"retry-after", b"1")]
    headers.append((HEADER, new_request_id()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
