"""Sweeps over HTTP."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from service.database.database import Database
from service.errors import invalid
from service.http.key_scopes import READ, TRAIN, needs
from service.http.pages import After, Limit, Page
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.http.waiting import Wait, after_waiting, say_applied
from service.idempotency.creation import CreationOf
from service.jobs.endpoints import Submitter
from service.jobs.queue.room import check_room
from service.jobs.watching.cursor import END
from service.jobs.watching.endpoints import responses_of, streamed
from service.jobs.watching.watcher import Watcher, until_over
from service.resources import DatabaseOf, DraftTurnsOf, EngineOf, NetworksOf, SettingsOf, StorageOf, StoredOf, WatcherOf
from service.sweeps import drafts, operations, reading
from service.sweeps.drafts import Ground, SweepDraft
from service.sweeps.events import event_stream
from service.sweeps.operations import SweepVerb
from service.sweeps.schemas import NewSweep, Sweep, SweepPlanOnly

router = APIRouter(prefix="/api/sweeps", tags=["sweeps"], route_class=JSONRoute)


@router.post(
    "",
    status_code=202,
    response_model=Sweep | SweepPlanOnly,
    summary="Search for the best recipe",
    responses={
        200: {
            "description": "With `Prefer: wait`: the ended sweep. With `validate_only`: the plan.",
            "model": Sweep | SweepPlanOnly,
        },
        **problems(404, 409, 413, 415, 422),
    },
)
@needs(TRAIN)
async def create_sweep(
    new: NewSweep,
    creation: CreationOf,
    database: DatabaseOf,
    storage: StorageOf,
    networks: NetworksOf,
    settings: SettingsOf,
    watcher: WatcherOf,
    engine: EngineOf,
    stored: StoredOf,
    turns: DraftTurnsOf,
    wait: Wait,
    submitter: Submitter,
    validate_only: Annotated[bool, Query(description="answer with the plan and create nothing")] = False,
) -> Response:
    """Queue many trainings that differ in what `vary` names, and rank them; the best becomes a version at the end.

    Trials are jobs, which `GET /api/jobs?sweep=` lists. They add no version and never change what is served.
    """

    def create(draft: SweepDraft) -> tuple[str, Response]:
        with stored.adding(sum(each.draft.plan.bytes or 0 for each in draft.trials)), database.transaction() as session:
            check_room(session, settings.max_queued_jobs, len(draft.trials))
            sweep = operations.create(session, draft)
            shown = reading.sweep_of(session, sweep)
            return sweep.id, creation.answer(session, shown, f"/api/sweeps/{sweep.id}", status=202)

    ground = Ground(database, storage, networks, settings, submitter)
    draft = await turns.run(partial(drafts.draft, ground, new))
    if validate_only:
        varied = [each.varied for each in draft.trials]
        answer = SweepPlanOnly.model_validate({"plan": draft.plan, "advice": draft.advice, "varied": varied})
        return Response(answer.model_dump_json(), media_type="application/json")
    id, response = await run_in_threadpool(create, draft)
    engine.nudge()
    return await after_waiting(response, wait, partial(_until_at_rest, database, watcher, id))


async def _until_at_rest(database: Database, watcher: Watcher, sweep: str, wait: int) -> Sweep:
    look = partial(reading.show, database, sweep)
    return await until_over(watcher, look, lambda seen: seen.state != "running", wait)


@router.get("", summary="List sweeps", responses=problems(422))
@needs(READ)
def list_sweeps(database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[Sweep]:
    """All sweeps, newest first."""
    items, following = reading.page(database, limit, after)
    return Page(items=items, next=following)


@router.get("/{sweep}", summary="Show a sweep", responses=problems(404, 422))
@needs(READ)
async def show_sweep(sweep: str, response: Response, database: DatabaseOf, watcher: WatcherOf, wait: Wait) -> Sweep:
    """The present state of a sweep, by its id or name; with `Prefer: wait=N`, once it has ended or rests, or N seconds
    are over.
    """
    if wait is None:
        return await run_in_threadpool(reading.show, database, sweep)
    say_applied(response, wait)
    return await _until_at_rest(database, watcher, sweep, wait)


@router.delete(
    "/{sweep}", status_code=204, response_class=Response, summary="Delete a sweep", responses=problems(404, 409, 422)
)
@needs(TRAIN)
def delete_sweep(sweep: str, database: DatabaseOf, watcher: WatcherOf) -> None:
    """Delete an ended sweep with its jobs. The version that the best became stays. 409 while it has not ended."""
    operations.delete(database, sweep)
    watcher.nudge()


@router.post("/{sweep}/stop", summary="Finish a sweep now", responses=problems(404, 409, 422))
@needs(TRAIN)
def stop_sweep(sweep: str, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Sweep:
    """End all trials, and keep the best of what they have learned as a version."""
    return _asked(sweep, "stop", database, watcher, engine)


@router.post("/{sweep}/pause", summary="Let a sweep rest", responses=problems(404, 409, 422))
@needs(TRAIN)
def pause_sweep(sweep: str, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Sweep:
    """Let all trials rest, each at its next batch, until the sweep is resumed."""
    return _asked(sweep, "pause", database, watcher, engine)


@router.post("/{sweep}/resume", summary="Let a sweep go on", responses=problems(404, 409, 422))
@needs(TRAIN)
def resume_sweep(sweep: str, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Sweep:
    """Put the trials that rest because of a pause back into the queue."""
    return _asked(sweep, "resume", database, watcher, engine)


def _asked(reference: str, verb: SweepVerb, database: Any, watcher: Any, engine: Any) -> Sweep:
    with database.transaction() as session:
        shown = reading.sweep_of(session, operations.ask(session, reference, verb))
    watcher.nudge()
    engine.nudge()
    return shown


@router.get(
    "/{sweep}/events",
    summary="Watch a sweep",
    response_class=StreamingResponse,
    responses=responses_of(
        "Server-sent events: `state` with the sweep, at first and whenever it changes; the last one has `id: end`"
    ),
)
@needs(READ)
async def watch_sweep(
    sweep: str,
    database: DatabaseOf,
    watcher: WatcherOf,
    last_event_id: Annotated[
        str | None, Header(description="the id of the last event seen", json_schema_extra={"pattern": "^end$"})
    ] = None,
) -> Response:
    """The sweep with its ranking, again at each change."""
    await run_in_threadpool(reading.show, database, sweep)
    if last_event_id == END:
        return Response(status_code=204)
    if last_event_id is not None:
        raise invalid("header/last-event-id", "The only event here that has an id is `end`.", "bad_event_id")
    return streamed(event_stream(database, watcher, sweep))
