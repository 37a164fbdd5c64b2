"""The watching of jobs over HTTP: server-sent events of one job, and of many."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from service.http.key_scopes import READ, needs
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.jobs import operations
from service.jobs.watching.cursor import END, PATTERN, positions_of
from service.jobs.watching.events import EVENT, EVENTS, EVENTS_OF_MANY
from service.jobs.watching.many_jobs import Stream, shown
from service.jobs.watching.one_job import event_stream, first_epoch_after
from service.resources import DatabaseOf, WatcherOf

router = APIRouter(prefix="/api", tags=["jobs"], route_class=JSONRoute)

MEDIA_TYPE = "text/event-stream"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
"""The second is for nginx, which would buffer."""
MOST_JOBS = 100
"""Jobs of a stream."""
DEFAULT_POINTS = 500


def responses_of(description: str, **example: str) -> dict[int | str, dict[str, Any]]:
    """Return the responses of an endpoint that streams events."""
    return {
        200: {"description": description, "content": {MEDIA_TYPE: {"schema": EVENT, **example}}},
        204: {"description": "With `Last-Event-ID: end`: there is no more to come"},
        **problems(404, 422),
    }


def streamed(events: AsyncIterator[bytes]) -> StreamingResponse:
    """Return the response that sends events as they come."""
    return StreamingResponse(events, headers=HEADERS, media_type=MEDIA_TYPE)


def _last_event_id(pattern: str) -> Any:
    description = "the id of the last event seen; the stream continues behind it"
    return Header(description=description, json_schema_extra={"pattern": pattern})


@router.get(
    "/jobs/{job}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses=responses_of(
        "Server-sent events: `state` with the job, then `epochs` with a list of epoch reports as "
        "they arrive, and `state` again whenever it changes; the last one has `id: end`",
        example=EVENTS,
    ),
)
@needs(READ)
async def watch_job(
    job: str,
    database: DatabaseOf,
    watcher: WatcherOf,
    last_event_id: Annotated[str | None, _last_event_id("^(end|[0-9]{1,9})$")] = None,
) -> Response:
    """The job, then its epoch reports as they arrive, at the end the job again."""
    await run_in_threadpool(operations.show, database, job)
    if last_event_id == END:
        return Response(status_code=204)
    first = first_epoch_after(last_event_id)
    return streamed(event_stream(database, watcher, job, first))


@router.get(
    "/events",
    summary="Watch many jobs",
    response_class=StreamingResponse,
    responses=responses_of(
        "Server-sent events: `state` with each job, then `epochs` with the `job` and its epoch reports since the event "
        "before, thinned, and `state` again whenever a job changes; the last one has `id: end`",
        example=EVENTS_OF_MANY,
    ),
)
@needs(READ)
async def watch_jobs(
    database: DatabaseOf,
    watcher: WatcherOf,
    job: Annotated[
        list[str], Query(description="a job to watch; repeat for several", min_length=1, max_length=MOST_JOBS)
    ],
    points: Annotated[
        int, Query(ge=2, le=10_000, description="the most reports of a job in one event; peaks are kept")
    ] = DEFAULT_POINTS,
    last_event_id: Annotated[str | None, _last_event_id(PATTERN)] = None,
) -> Response:
    """Many jobs in one stream, as browsers open six connections a host at most.

    It ends once all jobs have ended. The id of an event is a cursor from which the stream of the same jobs goes on.
    """
    jobs = list(dict.fromkeys(job))
    records = await run_in_threadpool(shown, database, jobs)
    if last_event_id == END:
        return Response(status_code=204)
    stream = Stream(database, watcher, positions_of(last_event_id, jobs), points)
    return streamed(stream.events(records))
