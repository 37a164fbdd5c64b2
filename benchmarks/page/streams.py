"""A server that serves the page and plays recorded streams of jobs, so that no training takes part in a figure."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from starlette.requests import Request
from starlette.responses import Response

from service.page.endpoints import router
from tests.support.serving import free_port

EMPTY = "<!doctype html><html lang='en'><title>Empty</title><canvas id='canvas' width='800' height='300'></canvas>"


@dataclass(frozen=True)
class Recording:
    """A job as the API shows it while it runs, and its reports, which are played again and again."""

    job: dict[str, Any]
    reports: list[dict[str, Any]]

    def named(self, id: str) -> dict[str, Any]:
        return {**self.job, "id": id, "state": "running", "asked": None, "ended_at": None, "version": None}

    def endless(self) -> Iterator[dict[str, Any]]:
        """Its reports, with epochs that go on."""
        for epoch in count():
            yield {**self.reports[epoch % len(self.reports)], "epoch": epoch}


def application(recording: Recording, jobs: int, flushes: float, reports: int) -> FastAPI:
    """The page, a list of `jobs` running jobs, and a stream of `reports` of each, `flushes` times a second."""
    app = FastAPI()
    app.include_router(router)
    ids = [f"job_{number:026}" for number in range(jobs)]

    @app.get("/empty")
    async def empty() -> Response:
        return HTMLResponse(EMPTY)

    @app.get("/api/jobs")
    async def listed() -> Response:
        return JSONResponse({"items": [recording.named(id) for id in ids], "next": None})

    @app.get("/api/jobs/{id}")
    async def shown(id: str) -> Response:
        return JSONResponse(recording.named(id))

    @app.get("/api/events")
    async def events(request: Request) -> Response:
        stream = played(recording, request.query_params.getlist("job"), flushes, reports)
        return StreamingResponse(stream, media_type="text/event-stream")

    @app.get("/api/{rest:path}")
    async def others(rest: str) -> Response:
        return JSONResponse({"items": [], "next": None})

    return app


async def played(recording: Recording, ids: list[str], flushes: float, reports: int) -> AsyncIterator[str]:
    """Events as `/api/events` has them: first the states, then the reports of all jobs, spread evenly over time."""
    endless = {id: recording.endless() for id in ids}
    for id in ids:
        yield event("state", recording.named(id))
    began, pause = time.monotonic(), 1 / flushes / len(ids)
    for turn in count():
        id = ids[turn % len(ids)]
        yield event("epochs", {"job": id, "items": [next(endless[id]) for _ in range(reports)]})
        await asyncio.sleep(max(0.0, began + (turn + 1) * pause - time.monotonic()))


def event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\nid: 1\ndata: {json.dumps(data)}\n\n"


@contextmanager
def playing(recording: Recording, jobs: int, flushes: float, reports: int) -> Iterator[str]:
    """Serve such an application from a thread, and yield its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            application(recording, jobs, flushes, reports), port=port, log_level="error", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
