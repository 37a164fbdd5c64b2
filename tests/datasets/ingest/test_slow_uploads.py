"""Bodies that arrive slowly."""

from contextlib import ExitStack

import httpx

from tests.support.datasets.uploading import HEADER, connection, lines, send_head, upload
from tests.support.serving import RunningService

THREADS = 40
"""Threads that serve requests, unless another number is set."""


def test_many_slow_senders_of_little_hold_nobody_up(http: httpx.Client, service: RunningService) -> None:
    with ExitStack() as connections:
        for number in range(THREADS + 1):
            slow = connections.enter_context(connection(service))
            send_head(slow, f"slow-{number}", size=1000)
            slow.sendall(HEADER)
        assert http.get("/api/datasets").status_code == 200
        assert upload(http, HEADER + lines(3)).status_code == 201
