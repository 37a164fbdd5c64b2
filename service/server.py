"""The HTTP server of `descent serve`."""

import asyncio
import ctypes
import faulthandler
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn

from service.app import create_app
from service.http_protocol import HttpProtocol
from service.settings import Settings

MALLOC_SETTINGS = {-3: 32 << 20, -1: 64 << 20}
"""glibc's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD (malloc.h), in bytes, for `keep_pages`."""
GRACE = 2
"""Seconds that open responses get at a stop; streams and waits are told and end at once."""
TIDYING = 1
"""Seconds that requests get to put away what they had begun, once the workers have ended."""
LONGEST_STOP = 4.5
"""Seconds after a signal at which the process ends, whatever still runs."""


def keep_pages() -> None:
    """Keep the memory of one large body for the next: the system takes long to give its pages anew.

    Says nothing where the C library is not glibc.
    """
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for setting, size in MALLOC_SETTINGS.items():
            mallopt(setting, size)


class Server(uvicorn.Server):
    """uvicorn, which waits at a stop for open responses: here those that would never end are told to."""

    def __init__(self, settings: Settings) -> None:
        keep_pages()
        self._nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - open for as long as the process
        self.app = create_app(settings)
        super().__init__(
            uvicorn.Config(
                self.app,
                http=HttpProtocol,
                ws="none",  # nothing here speaks it, and its protocol would leave the limits of ours behind
                log_config=None,  # as the rest of this process
                access_log=False,  # a line a request would cost more than many a request
                proxy_headers=False,  # nothing here asks who the client is or by what scheme it came
                timeout_graceful_shutdown=GRACE,
            )
        )

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            for server in self.servers:
                host, port = server.sockets[0].getsockname()[:2]
                address = f"[{host}]" if ":" in host else host
                print(f"Descent is at http://{address}:{port}", flush=True)  # noqa: T201 - what a starter of it reads

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().shutdown(sockets)  # type: ignore[arg-type]
        if self.server_state.tasks:  # cancelled: some put away what they had begun
            await asyncio.wait(self.server_state.tasks, timeout=TIDYING)
        if self.server_state.tasks:  # in threads, which Python would wait for
            sys.stdout.flush()
            os._exit(0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:  # by a timer in C, which needs no turn of the interpreter
            faulthandler.dump_traceback_later(LONGEST_STOP, exit=True, file=self._nowhere)
        if self.started:
            self._loop.call_soon_threadsafe(self.app.state.watcher.close)
            self._loop.call_soon_threadsafe(self.app.state.engine.expect_stop)
        super().handle_exit(sig, frame)
