"""Jobs over HTTP."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from service.database.caller import caller
from service.database.database import Database
from service.database.lookup import bad_cursor
from service.http.key_scopes import READ, TRAIN, needs
from service.http.pages import After, Filtered, Limit, Page
from service.http.problems import problems
from service.http.responses import numbers_response
from service.http.routes import JSONRoute
from service.http.waiting import LONGEST_WAIT, Wait, after_waiting, replace_answer, say_applied
from service.idempotency.creation import CreationOf
from service.jobs import drafts, operations, verifications
from service.jobs.checks.allowed import Allowed
from service.jobs.queue.room import check_room
from service.jobs.recipe_schemas import NewJob
from service.jobs.records import Group
from service.jobs.reports import reading
from service.jobs.schemas import EpochReport, Job, LastParameters, PlanOnly, Verification
from service.jobs.states import State
from service.jobs.watching.watcher import Watcher
from service.resources import DatabaseOf, EngineOf, ResourcesOf, SettingsOf, StoredOf, WatcherOf

router = APIRouter(prefix="/api/jobs", tags=["jobs"], route_class=JSONRoute)

_SUBMITTER = (
    "a name for whoever sends the job: jobs of equal priority take turns between such names. With a key it counts for "
    "nothing: turns are between the owners of keys"
)


async def _submitter(
    named: Annotated[str, Header(alias="X-Descent-Client", max_length=100, description=_SUBMITTER)] = "",
) -> str:
    return named if caller().key is None else caller().owner


Submitter = Annotated[str, Depends(_submitter)]


@router.post(
    "",
    status_code=202,
    response_model=Job | PlanOnly,
    summary="Train a model",
    responses={
        200: {
            "description": "With `Prefer: wait`: the ended job. With `validate_only`: the plan.",
            "model": Job | PlanOnly,
        },
        **problems(404, 409, 413, 415, 422),
    },
)
@needs(TRAIN)
async def create_job(
    new: NewJob,
    creation: CreationOf,
    resources: ResourcesOf,
    wait: Wait,
    submitter: Submitter,
    validate_only: Annotated[bool, Query(description="answer with the plan and create nothing")] = False,
) -> Response:
    """Queue a training of a model on a dataset; a worker takes it as soon as one is free."""
    database, settings = resources.database, resources.settings

    def enqueue() -> tuple[str | None, Response]:
        allowed = Allowed.by(settings)
        draft = drafts.draft(database, resources.storage, resources.networks, new, allowed, submitter)
        if validate_only:
            answer = PlanOnly.model_validate({**vars(draft), "recipe": asdict(draft.recipe)})
            return None, Response(answer.model_dump_json(), media_type="application/json")

        def write(session: Session) -> tuple[str, Response]:
            check_room(session, settings.max_queued_jobs)
            record = operations.enqueue(session, draft)
            return record.id, creation.answer(session, reading.job(record), f"/api/jobs/{record.id}", status=202)

        with resources.stored.adding(draft.plan.bytes or 0):
            return database.write_shared(write)

    # all of it in one thread: to wake another one takes its time
    id, response = await (resources.draft_turns.run if new.recipe == "auto" else run_in_threadpool)(enqueue)
    if id is None:
        return response
    resources.engine.nudge()
    return await after_waiting(response, wait, partial(_until_at_rest, database, resources.watcher, id))


async def _until_at_rest(database: Database, watcher: Watcher, job: str, wait: int) -> Job:
    await watcher.until_at_rest(job, wait)
    return reading.job(await run_in_threadpool(operations.show, database, job))


@router.get("", response_model=Page[Job], summary="List jobs", responses=problems(422))
@needs(READ)
def list_jobs(
    database: DatabaseOf,
    filters: Filtered,
    limit: Limit = 50,
    after: After = None,
    state: Annotated[State | None, Query(description="jobs in this state alone")] = None,
    model: Annotated[str | None, Query(description="jobs of this model alone, by its id or name")] = None,
    dataset: Annotated[str | None, Query(description="jobs on this dataset alone, by its id or name")] = None,
    sweep: Annotated[str | None, Query(description="the trials of this sweep, by its id")] = None,
    cross_validation: Annotated[str | None, Query(description="the folds of this cross-validation, by its id")] = None,
) -> dict[str, Any]:
    """All jobs, or those that the filters leave, newest first; those of sweeps and cross-validations only where one of
    these is named.
    """
    group = Group(sweep, cross_validation)
    items, following = operations.page(database, limit, after, state, model, dataset, group, filters)
    return {"items": [reading.job(record) for record in items], "next": following}


@router.get("/{job}", summary="Show a job", responses=problems(404, 422))
@needs(READ)
async def show_job(job: str, response: Response, database: DatabaseOf, watcher: WatcherOf, wait: Wait) -> Job:
    """The present state of a job; with `Prefer: wait=N`, once it has ended or rests, or N seconds are over."""
    record = await run_in_threadpool(operations.show, database, job)
    if wait is None or operations.at_rest(record):
        return reading.job(record)
    say_applied(response, wait)
    return await _until_at_rest(database, watcher, job, wait)


@router.delete(
    "/{job}", status_code=204, response_class=Response, summary="Delete a job", responses=problems(404, 409, 422)
)
@needs(TRAIN)
def delete_job(job: str, database: DatabaseOf, watcher: WatcherOf) -> None:
    """Delete an ended job with its reports, its log and its last parameters.

    The version that it added stays, with its kept epochs, evaluations and loss, and goes on to name the job. 409 while
    the job, or one that verifies it, has not ended.
    """
    operations.delete(database, job)
    watcher.nudge()


@router.post(
    "/{job}/verify",
    status_code=202,
    response_model=Job | Verification,
    summary="Train again and compare",
    responses={
        200: {"description": "It has ended: the outcome.", "model": Verification},
        202: {"description": "It is not over: the job that trains again.", "model": Job},
        **problems(404, 409, 422),
    },
)
@needs(TRAIN)
async def verify_job(
    job: str,
    creation: CreationOf,
    database: DatabaseOf,
    settings: SettingsOf,
    watcher: WatcherOf,
    engine: EngineOf,
    stored: StoredOf,
    wait: Wait,
) -> Response:
    """Train once more by a succeeded job's receipt, in a job that adds no version, and compare the parameters.

    Waits for the end, a minute unless `Prefer` sets another time.
    """

    def enqueue() -> tuple[str, Response]:
        stored.left()
        with database.transaction() as session:
            check_room(session, settings.max_queued_jobs)
            record = verifications.enqueue(session, job)
            return record.id, creation.answer(session, reading.job(record), f"/api/jobs/{record.id}", status=202)

    id, response = await run_in_threadpool(enqueue)
    engine.nudge()
    await watcher.until_at_rest(id, LONGEST_WAIT if wait is None else wait)
    if wait is not None:
        say_applied(response, wait)
    record = await run_in_threadpool(operations.show, database, id)
    if operations.ended(record):
        replace_answer(response, 200, Verification(job=id, **vars(verifications.outcome_of(record))))
    else:
        replace_answer(response, 202, reading.job(record))
        response.headers["Retry-After"] = "1"
    return response


@router.get(
    "/{job}/epochs",
    response_model=Page[EpochReport],
    summary="Show the loss of every epoch",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems(404, 422),
    },
)
@needs(READ)
def show_epochs(
    job: str,
    database: DatabaseOf,
    limit: Limit = 50,
    after: After = None,
    from_epoch: Annotated[int, Query(ge=0, le=2**31 - 1, description="the first epoch wanted")] = 0,
    points: Annotated[int | None, Query(ge=2, le=10_000, description="thin to about this number, peaks kept")] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",  # OpenAPI has it in the answer's types
) -> Any:
    """Epoch reports, oldest first; `next` is null at the present end. With `Accept: text/csv`, all of them.

    A job that verifies another (`verifies`) writes none: those of that job are its own. Thinned reports and CSV are
    whole, without cursors.
    """
    if after is not None and (points is not None or "text/csv" in accept):
        raise bad_cursor()
    if "text/csv" in accept:
        lines = reading.csv(database, job, from_epoch, points)
        return StreamingResponse(lines, headers={"Vary": "Accept"}, media_type="text/csv; charset=utf-8")
    if points is not None:
        return {"items": reading.curve(database, job, from_epoch, points), "next": None}
    items, following = reading.page(database, job, from_epoch, limit, after)
    return {"items": items, "next": following}


@router.get(
    "/{job}/parameters",
    response_model=LastParameters,
    summary="Show the parameters that a job was left with",
    responses=problems(404, 409, 422),
)
@needs(READ)
def show_last_parameters(job: str, database: DatabaseOf) -> Response:
    """The last finite parameters of a failed or cancelled job; a succeeded one has added a version."""
    return numbers_response({"job": job, "layers": operations.last_layers(database, job)})
