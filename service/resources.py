"""Resources that the application opens once, and the parameters by which endpoints ask for them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from service.errors import Unavailable

if TYPE_CHECKING:
    from service.database.database import Database
    from service.engine.lifecycle import Engine
    from service.idempotency.creation import KeysInFlight
    from service.inference.activity import Statistics
    from service.jobs.watching.watcher import Watcher
    from service.models.networks import Networks
    from service.quotas.stored import Stored
    from service.settings import Settings
    from service.storage.storage import Storage
    from service.telemetry.readiness import Room

Result = TypeVar("Result")


class Turns:
    """Threads for work that takes long, `what` in words: `count` at once; more waits `patience` seconds for one."""

    def __init__(self, count: int, patience: float, what: str) -> None:
        self._count = count
        self._patience = patience
        self._what = what
        self._free = asyncio.Semaphore(count)

    async def run(self, call: Callable[[], Result]) -> Result:
        """Return the result of `call`, made in a thread when its turn has come.

        Raises:
            Unavailable: no turn came up in time.
        """
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            detail = f"{self._count} {self._what}, and no more at once: send this one again later."
            raise Unavailable(detail, "busy") from None
        try:
            return await to_thread.run_sync(call, limiter=CapacityLimiter(1))  # none of the threads that requests share
        finally:
            self._free.release()


@dataclass(frozen=True)
class Resources:
    """All that lives as long as the application; `app.opened` makes it."""

    settings: "Settings"
    database: "Database"
    storage: "Storage"
    networks: "Networks"
    watcher: "Watcher"
    engine: "Engine"
    room: "Room"
    statistics: "Statistics"
    keys_in_flight: "KeysInFlight"
    upload_turns: Turns
    draft_turns: Turns
    stored: "Stored"


def resources_of(request: Request) -> Resources:
    """Return the resources of the application that a request came to."""
    resources: Resources = request.app.state.resources
    return resources


def _resource(choose: Callable[[Resources], Any]) -> Dependency:
    async def chosen(request: Request) -> Any:  # async, or FastAPI would call it in a thread
        return choose(resources_of(request))

    dependency: Dependency = Depends(chosen)
    return dependency


ResourcesOf = Annotated[Resources, _resource(lambda resources: resources)]
"""For endpoints of many resources: FastAPI takes as long for each parameter as for a small query."""
SettingsOf = Annotated["Settings", _resource(lambda resources: resources.settings)]
DatabaseOf = Annotated["Database", _resource(lambda resources: resources.database)]
StorageOf = Annotated["Storage", _resource(lambda resources: resources.storage)]
NetworksOf = Annotated["Networks", _resource(lambda resources: resources.networks)]
WatcherOf = Annotated["Watcher", _resource(lambda resources: resources.watcher)]
DraftTurnsOf = Annotated[Turns, _resource(lambda resources: resources.draft_turns)]
EngineOf = Annotated["Engine", _resource(lambda resources: resources.engine)]
RoomOf = Annotated["Room", _resource(lambda resources: resources.room)]
StatisticsOf = Annotated["Statistics", _resource(lambda resources: resources.statistics)]
StoredOf = Annotated["Stored", _resource(lambda resources: resources.stored)]
