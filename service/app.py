"""The application: its routes, and the resources that it opens once and passes on."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp
from threadpoolctl import threadpool_limits

from service.access.endpoints import router as keys
from service.access.guard import Guard
from service.access.limits import OwnerLimits
from service.access.records import any_keys
from service.access.routes import RouteTable
from service.access.sign_in_endpoints import router as sign_in
from service.cross_validations.endpoints import router as cross_validations
from service.database.database import Database
from service.database.migrate import migrate
from service.datasets.endpoints import router as datasets
from service.engine.lifecycle import Engine
from service.errors import Unavailable
from service.evaluations.endpoints import router as evaluations
from service.http.bodies.body_limit import BodyLimit
from service.http.bodies.large_bodies import LargeBodies
from service.http.browsers.browser_guard import BrowserGuard
from service.http.browsers.proxies import Proxies
from service.http.compression import CompressedBodies
from service.http.document.document import add_document
from service.http.head_as_get import HeadAsGet
from service.http.key_scopes import OPEN, READ, needs
from service.http.problems import add_error_handlers, problems
from service.idempotency.creation import KeysInFlight
from service.inference.activity import Statistics
from service.inference.endpoints import router as inference
from service.inference.metadata_endpoints import router as inference_metadata
from service.jobs.endpoints import router as jobs
from service.jobs.steering.endpoints import router as steering
from service.jobs.watching.endpoints import router as watching
from service.jobs.watching.watcher import Watcher
from service.metrics import port
from service.metrics.endpoints import router as metrics
from service.metrics.traffic import Traffic
from service.models.endpoints import router as models
from service.models.networks import Networks
from service.page.docs_endpoints import add_docs
from service.page.endpoints import router as page
from service.predictions.endpoints import kserve
from service.predictions.endpoints import router as predictions
from service.quotas.stored import Stored
from service.recovery import keep_removing_abandoned, recover
from service.resources import DatabaseOf, EngineOf, Resources, RoomOf, Turns
from service.retention.operations import keep_applying
from service.settings import Settings
from service.storage.storage import Storage
from service.sweeps.endpoints import router as sweeps
from service.telemetry.readiness import Life, Readiness, Room
from service.telemetry.requests import Observer, Requests, write_access
from service.telemetry.traces import tracing
from service.telemetry.traces.requests import Discreet, is_left_out
from service.vocabulary.endpoints import router as vocabulary

log = logging.getLogger(__name__)

UPLOADS_AT_ONCE, UPLOAD_PATIENCE = 8, 5.0
"""Large uploads that are read at the same time, each in some hundred megabytes; and the seconds that another one waits
until one of these has ended."""
DRAFTS_AT_ONCE, DRAFT_PATIENCE = 2, 30.0
"""The same of recipes that are chosen, and of sweeps and cross-validations that are planned: more threads would make
none of them quicker."""

DESCRIPTION = """
Train and serve `Dense` networks over HTTP: create a **dataset** and a **model**, post a **job**, watch the loss of
every epoch, and ask for **predictions**. Errors are problems as RFC 9457 has them.

Any call may answer 400 (a Host that `DESCENT_HOSTS` does not name), 403 (a change that a web page elsewhere asks for),
408 (slower than 1 KiB a second, or 64 KiB for a body above 1 MiB that is not streamed) or 431 (headers above 64 KiB, or
more than 100). Every answer has an `X-Request-ID`, the one that was sent or a new one; the log names requests by it.
"""

TAGS = {
    "datasets": "Tables of typed columns, some of them targets, divided into parts.",
    "models": "Networks, and the numbered versions of their parameters.",
    "jobs": "Trainings of a model on a dataset, in background workers.",
    "sweeps": "Many trainings as one object, ranked.",
    "cross-validations": "A recipe judged on rows that its trainings have not seen.",
    "predictions": "A version's outputs for rows, and how good they are.",
    "inference protocol": "The Open Inference Protocol V2, as Triton's and KServe's clients speak it.",
    "keys": "Who may come in, as whom, to do what.",
    "vocabulary": "Every layer, activation, loss, optimiser, schedule and initialisation.",
    "health": "Probes.",
}
"""Tags, in the order in which a newcomer meets them."""


class Application(FastAPI):
    """FastAPI with a middleware outside its own, whose answers to errors it sees too."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self.traffic = Traffic()
        self._observers: list[Observer] = [write_access] if settings.access_log else []
        if settings.metrics_port is not None:
            self._observers.append(self.traffic)

    def build_middleware_stack(self) -> ASGIApp:
        return Requests(super().build_middleware_stack(), *self._observers)


def create_app(settings: Settings) -> FastAPI:
    """The service for these settings; nothing is opened before its lifespan begins.

    That expects what `startup.prepared` makes: the data folder, and the lock of the database, so that it is alone.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with port.served(settings.metrics_host, settings.metrics_port, application.traffic):
            try:
                async with opened(settings) as app.state.resources:
                    yield
            finally:
                await to_thread.run_sync(tracing.stop, limiter=CapacityLimiter(1))

    app = application = Application(
        settings,
        title="Descent",
        summary="Train and serve Dense networks over HTTP",
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/", "description": "this service"}],
        separate_input_output_schemas=False,  # answers hold the objects of requests, in one of their forms
        description=DESCRIPTION,
        version=version("descent"),
        openapi_tags=[{"name": name, "description": what} for name, what in TAGS.items()],
        lifespan=lifespan,
        telemetry=_telemetry(),
        openapi_url=None,  # the default makes the document in the event loop, which stands still meanwhile
        docs_url=None,  # the default page loads its scripts from the internet
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    # the busiest first, and straight: see DirectRoute
    app.router.routes[:0] = [*predictions.routes, *inference.routes, *kserve.routes]
    app.add_middleware(LargeBodies)
    app.add_middleware(CompressedBodies, limit=settings.max_body)
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit, limit=settings.max_body, upload_limit=settings.max_upload)
    add_error_handlers(app)
    of_nouns = datasets, models, evaluations, jobs, steering, watching, sweeps, cross_validations
    for router in (keys, sign_in, *of_nouns, vocabulary, inference_metadata, metrics, page):
        app.include_router(router)
    _add_health(app)
    add_docs(app, OPEN if settings.docs == "open" else READ)
    add_document(app)
    # the last are the outermost: nothing reads a body before they let its request in
    of_owners = settings.max_requests, settings.max_streams, settings.max_queued_jobs, settings.max_stored_bytes
    if any(limit is not None for limit in of_owners):
        app.add_middleware(OwnerLimits, requests=settings.max_requests, streams=settings.max_streams)
    proxies = Proxies(settings.proxies)
    app.add_middleware(Guard, table=RouteTable(app), proxies=proxies, asks=settings.auth == "keys")
    app.add_middleware(BrowserGuard, hosts=settings.hosts, proxies=proxies)
    return app


def _telemetry() -> TelemetryConfig:
    """Return the settings of FastAPI's telemetry: spans alone, and these where the environment asks for traces."""
    provider = tracing.start()
    if provider is None:  # all has to be off, or FastAPI asks the environment at each request
        return {"tracing": False, "metrics": False, "logs": False}
    spans = TelemetryConfig(tracer_provider=Discreet(provider), operation_spans=False, exclude=is_left_out)
    return {**spans, "metrics": False, "logs": False, "auto_configure": False}


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Resources]:
    """Open what the application needs, after what a crash has left is put right; at the end, close it."""
    database = Database(settings.database_url)
    storage = Storage(settings.storage_address, settings.cache)
    await run_in_threadpool(migrate, database)
    await run_in_threadpool(recover, database, storage, alone=settings.scheduler is None)
    _tell_of_doors(settings, database)
    threadpool_limits(1, user_api="blas")  # many requests share the processors; so do the workers
    watcher = Watcher(database)
    engine = Engine(settings, database, when_done=watcher.nudge)
    if database.reserve is not None:
        database.reserve.fill()
    removing = asyncio.create_task(keep_removing_abandoned(database, storage))
    forgetting = asyncio.create_task(keep_applying(settings, database))
    try:
        yield Resources(
            settings=settings,
            database=database,
            storage=storage,
            networks=Networks(),
            watcher=watcher,
            engine=engine,
            room=Room(database, storage.folder),
            statistics=Statistics(),
            keys_in_flight=KeysInFlight(),
            upload_turns=Turns(UPLOADS_AT_ONCE, UPLOAD_PATIENCE, "large datasets are being read"),
            draft_turns=Turns(DRAFTS_AT_ONCE, DRAFT_PATIENCE, "recipes, sweeps or cross-validations are being planned"),
            stored=Stored(database, settings.max_stored_bytes),
        )
    finally:
        removing.cancel()
        forgetting.cancel()
        await watcher.stop()
        # in a thread of its own: those of requests may all be busy
        await to_thread.run_sync(engine.stop, limiter=CapacityLimiter(1))
        database.close()


def _tell_of_doors(settings: Settings, database: Database) -> None:
    if settings.auth == "off":
        log.warning("DESCENT_AUTH=off: whoever reaches this service may do anything")
    elif not any_keys(database):
        log.info(
            "there are no keys: every program on this machine may do anything, until `descent keys create` makes one"
        )


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live", tags=["health"], summary="Is the process alive?")
    @needs(OPEN)
    async def live() -> Life:
        """Answer as long as the process does."""
        return Life(status="live")

    @app.get("/health/ready", tags=["health"], summary="Can it work?", responses=problems(503))
    @needs(OPEN)
    def ready(database: DatabaseOf, room: RoomOf, engine: EngineOf) -> Readiness:
        """Whether the database answers, the disk has room, and the engine takes jobs."""
        database.check()
        room.check()
        if not engine.ready:
            raise Unavailable("The engine is starting: jobs are kept until it is ready.", "engine_starting")
        return Readiness(status="ready")
