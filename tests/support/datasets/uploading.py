"""Bodies that are sent as files, also slowly."""

import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.serving import RunningService, http_client

CSV = "text/csv"


def upload(
    http: httpx.Client, body: Any, kind: str = CSV, headers: dict[str, str] | None = None, **query: Any
) -> httpx.Response:
    """POST a body with a target `y`, unless the query names another one."""
    headers = {"Content-Type": kind, **(headers or {})}
    return http.post("/api/datasets", params={"targets": "y", **query}, content=body, headers=headers)


def lines(rows: int, first: int = 0) -> bytes:
    """Rows of CSV: x, and y = 4x + 2."""
    return b"".join(b"%d,%d\n" % (x, 4 * x + 2) for x in range(first, first + rows))


HEADER = b"x,y\n"


def connection(service: RunningService) -> socket.socket:
    address = urlsplit(service.url)
    assert address.hostname is not None
    return socket.create_connection((address.hostname, address.port))


def send_head(connection: socket.socket, name: str, size: int, more: str = "") -> None:
    head = f"POST /api/datasets?targets=y&name={name} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {CSV}\r\n"
    connection.sendall(f"{head}Content-Length: {size}\r\n{more}\r\n".encode())


class SlowUpload:
    """An upload in a thread: `first` is sent at once, `rest` when told; then `response` has the answer."""

    def __init__(
        self, url: str, first: bytes, rest: bytes, headers: dict[str, str] | None = None, **query: Any
    ) -> None:
        self.response: httpx.Response | None = None
        self._pieces = first, rest
        self._released = threading.Event()
        size = {"Content-Length": str(len(first) + len(rest))}
        self._thread = threading.Thread(target=self._send, args=(url, {**size, **(headers or {})}, query))
        self._thread.start()

    def finish(self) -> httpx.Response | None:
        """Send the rest; return the answer, or None where the service went away."""
        self._released.set()
        self._thread.join()
        return self.response

    def _send(self, url: str, headers: dict[str, str], query: dict[str, Any]) -> None:
        try:
            with http_client(url) as http:
                self.response = upload(http, self._body(), headers=headers, **query)
        except httpx.TransportError:
            pass

    def _body(self) -> Iterator[bytes]:
        first, rest = self._pieces
        for start in range(0, len(first), 1 << 16):
            yield first[start : start + (1 << 16)]
        self._released.wait()
        yield rest
