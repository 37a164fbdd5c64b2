"""The HTTP server of `descent serve`."""

import asyncio
import faulthandler
import logging
import os
import socket
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from service.http.request_limits import HttpProtocol
from service.settings import Settings
from service.startup import allocator, garbage
from service.startup.entrance import Entrance
from service.startup.reasons import reason_of

if TYPE_CHECKING:
    from starlette.applications import Starlette

log = logging.getLogger(__name__)

GRACE = 2
"""Seconds that open responses get at a stop; streams and waits end at once."""
TIDYING = 1
"""Seconds that requests get to finish their clean-up, once the workers have ended."""
LONGEST_STOP = 4.5
"""Seconds after a signal at which the process ends, whatever still runs."""
FAILED = 3
"""The exit code where the application cannot start, as uvicorn has it."""


class Server(uvicorn.Server):
    """uvicorn, which listens while the application loads in a thread, and hands its connections over then.

    At a stop it waits for open responses, and ends those that would never end by themselves.
    """

    def __init__(self, settings: Settings) -> None:
        allocator.keep_pages()
        self._nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - open for as long as the process
        self._settings = settings
        self._entrance = Entrance()
        self._app: Starlette | None = None
        self._loader: threading.Thread | None = None
        self._stopping = asyncio.Event()
        self._failed = False
        super().__init__(
            uvicorn.Config(
                self._entrance,
                lifespan="off",  # the application's begins when it is loaded
                http=HttpProtocol,
                ws="none",  # nothing here speaks it, and its protocol would leave the limits of ours behind
                log_config=None,  # as the rest of this process
                access_log=False,  # a line a request would cost more than many a request
                proxy_headers=False,  # nothing here asks for the client's address or scheme
                timeout_graceful_shutdown=GRACE,
            )
        )

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        names = [server.sockets[0].getsockname()[:2] for server in self.servers]
        self._addresses = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names]
        self._application = asyncio.create_task(self._live())

    async def _live(self) -> None:
        """The application's life: loaded, begun, and ended at the stop."""
        try:
            app = await self._load()
            async with app.router.lifespan_context(app):
                self._open(app)
                await self._stopping.wait()
        except Exception as error:
            what = "the service does not start" if self._app is None else "the service does not stop as it should"
            if (reason := reason_of(error)) is not None:
                log.error("%s: %s", what, reason)
            else:
                log.exception("%s", what)
            self._failed = self.should_exit = True

    def _load(self) -> "asyncio.Future[Starlette]":
        """Return the application, made in a thread: its imports take a second or two."""
        loaded: Future[Starlette] = Future()

        def load() -> None:
            try:
                with garbage.kept():
                    from service.app import create_app

                    app = create_app(self._settings)
                loaded.set_result(app)
            except BaseException as error:  # noqa: BLE001 - those who wait for it learn of it
                loaded.set_exception(error)

        self._loader = threading.Thread(target=load, name="descent-load", daemon=True)
        self._loader.start()
        return asyncio.wrap_future(loaded)

    def _open(self, app: "Starlette") -> None:
        self._app = app
        self.config.loaded_app = app  # new connections go to it without detour
        self._entrance.open(app)
        for address in self._addresses:
            with suppress(OSError):  # nobody reads it any more
                print(f"Descent is at http://{address}", flush=True)  # noqa: T201 - what a starter of it reads

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._entrance.close()
        await super().shutdown(sockets)  # type: ignore[arg-type]
        self._stopping.set()
        if self._loader is not None and self._loader.is_alive():
            os._exit(0)  # imports cannot be interrupted, and nothing has been opened yet
        await self._application
        if self.server_state.tasks:  # cancelled: some put away what they had begun
            await asyncio.wait(self.server_state.tasks, timeout=TIDYING)
        if self.server_state.tasks or (self._app is not None and self._app.state.resources.engine.is_loading):
            # Python would wait for their threads.
            sys.stdout.flush()
            os._exit(0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:  # by a timer in C, which needs no turn of the interpreter
            faulthandler.dump_traceback_later(LONGEST_STOP, exit=True, file=self._nowhere)
        if self._app is not None:
            self._loop.call_soon_threadsafe(self._app.state.resources.watcher.close)
            self._loop.call_soon_threadsafe(self._app.state.resources.engine.expect_stop)
        super().handle_exit(sig, frame)

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets)
        if self._failed:
            sys.exit(FAILED)
