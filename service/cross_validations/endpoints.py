"""Cross-validations over HTTP."""

from functools import partial

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool

from service.cross_validations import operations, predictions, records
from service.cross_validations.schemas import CrossValidation, NewCrossValidation, OutOfFold
from service.database.database import Database
from service.http.key_scopes import READ, TRAIN, needs
from service.http.pages import After, Limit, Page
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.http.waiting import Wait, after_waiting, say_applied
from service.idempotency.creation import CreationOf
from service.jobs.drafts import Draft
from service.jobs.endpoints import Submitter
from service.jobs.queue.room import check_room
from service.jobs.watching.watcher import Watcher, until_over
from service.resources import DatabaseOf, DraftTurnsOf, EngineOf, NetworksOf, SettingsOf, StorageOf, StoredOf, WatcherOf

router = APIRouter(prefix="/api/cross-validations", tags=["cross-validations"], route_class=JSONRoute)


@router.post(
    "",
    status_code=202,
    response_model=CrossValidation,
    summary="Cross-validate a recipe",
    responses={
        200: {"description": "With `Prefer: wait`: the ended cross-validation.", "model": CrossValidation},
        **problems(404, 409, 413, 415, 422),
    },
)
@needs(TRAIN)
async def create_cross_validation(
    new: NewCrossValidation,
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
) -> Response:
    """Train a recipe once a fold, on the rows of the train and validation parts outside of it, and judge each
    training on its fold.

    Trainings begin from version 0 unless the recipe names another, which may have seen the rows of the folds. Folds are
    drawn by the seed, those of classes so that each has its share of every class. Standardising and class
    weights come from each training's own rows, and so do those that early stopping watches: a share as large as the
    validation part, or a fifth where there is none. The model gets no version. `GET /api/jobs?cross_validation=` lists
    the jobs.
    """

    def create(draft: Draft) -> tuple[str, Response]:
        with stored.adding((draft.plan.bytes or 0) * new.folds), database.transaction() as session:
            check_room(session, settings.max_queued_jobs, new.folds)
            record = operations.create(session, new, draft)
            shown = operations.show(session, record)
            location = f"/api/cross-validations/{record.id}"
            return record.id, creation.answer(session, shown, location, status=202)

    given = database, storage, networks, settings, new, submitter
    draft = await turns.run(partial(operations.draft, *given))
    id, response = await run_in_threadpool(create, draft)
    engine.nudge()
    return await after_waiting(response, wait, partial(_until_ended, database, watcher, id))


async def _until_ended(database: Database, watcher: Watcher, id: str, wait: int) -> CrossValidation:
    return await until_over(watcher, partial(_shown, database, id), lambda seen: seen.ended_at is not None, wait)


def _shown(database: Database, id: str) -> CrossValidation:
    with database.reading() as session:
        return operations.show(session, records.find(session, id))


@router.get("", summary="List cross-validations", responses=problems(422))
@needs(READ)
def list_cross_validations(database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[CrossValidation]:
    """All cross-validations, newest first."""
    with database.reading() as session:
        found, following = records.page(session, limit, after)
        return Page(items=[operations.show(session, each) for each in found], next=following)


@router.get("/{cross_validation}", summary="Show a cross-validation", responses=problems(404, 422))
@needs(READ)
async def show_cross_validation(
    cross_validation: str, response: Response, database: DatabaseOf, watcher: WatcherOf, wait: Wait
) -> CrossValidation:
    """The metrics of each fold; once all have ended, their means and deviations. With `Prefer: wait=N`, then, or once N
    seconds are over.
    """
    if wait is None:
        return await run_in_threadpool(_shown, database, cross_validation)
    say_applied(response, wait)
    return await _until_ended(database, watcher, cross_validation, wait)


@router.get(
    "/{cross_validation}/predictions", summary="Predict each row out of its fold", responses=problems(404, 409, 422)
)
@needs(READ)
def show_out_of_fold_predictions(
    cross_validation: str, database: DatabaseOf, storage: StorageOf, limit: Limit = 50, after: After = None
) -> Page[OutOfFold]:
    """The prediction of each row by the network that has not seen it, in the order of the upload; once all folds have
    succeeded.
    """
    items, following = predictions.page(database, storage, cross_validation, limit, after)
    return Page(items=items, next=following)


@router.delete(
    "/{cross_validation}",
    status_code=204,
    response_class=Response,
    summary="Delete a cross-validation",
    responses=problems(404, 409, 422),
)
@needs(TRAIN)
def delete_cross_validation(cross_validation: str, database: DatabaseOf, watcher: WatcherOf) -> None:
    """Delete a cross-validation with its jobs; 409 while a fold is trained."""
    operations.delete(database, cross_validation)
    watcher.nudge()
