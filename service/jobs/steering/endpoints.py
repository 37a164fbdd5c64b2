"""The steering of jobs over HTTP."""

from typing import Any

from fastapi import APIRouter

from service.http.key_scopes import READ, TRAIN, needs
from service.http.pages import After, Limit, Page
from service.http.problems import problems
from service.http.routes import JSONRoute
from service.jobs.log import reading as log
from service.jobs.records import JobRecord
from service.jobs.reports import reading
from service.jobs.schemas import Job
from service.jobs.states import Verb
from service.jobs.steering import changes, verbs
from service.jobs.steering.schemas import JobChanges, LogEntry
from service.resources import DatabaseOf, EngineOf, WatcherOf

router = APIRouter(prefix="/api/jobs", tags=["jobs"], route_class=JSONRoute)


@router.post("/{job}/cancel", summary="Throw a job away", responses=problems(404, 409, 422))
@needs(TRAIN)
def cancel_job(job: str, database: DatabaseOf, watcher: WatcherOf) -> Job:
    """End a job and add no version: at once while it waits or rests, within a second while a worker trains it.

    Works on a full disk too; all that the job had not written by then is lost.
    """
    record = database.write_urgently(lambda session: verbs.ask(session, job, Verb.CANCEL))
    watcher.nudge()
    return reading.job(record)


@router.post("/{job}/stop", summary="Finish a job now", responses=problems(404, 409, 422))
@needs(TRAIN)
def stop_job(job: str, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Job:
    """End a job at its next batch and keep what it has learned: a new version of the last parameters, or of the best
    where the recipe keeps these. A job that rests gets a worker for that.
    """
    return _asked(job, Verb.STOP, database, watcher, engine)


@router.post("/{job}/pause", summary="Let a job rest", responses=problems(404, 409, 422))
@needs(TRAIN)
def pause_job(job: str, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Job:
    """Take a job from its worker at the next batch, or out of the queue at once, until it is resumed.

    It goes on to the same bytes as a job that never paused. While it rests it holds its model and dataset.
    """
    return _asked(job, Verb.PAUSE, database, watcher, engine)


@router.post("/{job}/resume", summary="Let a job go on", responses=problems(404, 409, 422))
@needs(TRAIN)
def resume_job(job: str, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Job:
    """Put a job that rests back into the queue; of one that is asked to pause, take that back."""
    return _asked(job, Verb.RESUME, database, watcher, engine)


@router.patch("/{job}", summary="Change a job", responses=problems(404, 409, 413, 415, 422))
@needs(TRAIN)
def change_job(job: str, new: JobChanges, database: DatabaseOf, watcher: WatcherOf, engine: EngineOf) -> Job:
    """Change the rate or the frozen layers of a job from its next batch on, or its priority; its labels in any
    state, in place of all that it has.

    The log says where a change took hold: on the quadratic path at the next epoch, in a job that waits or rests where
    it begins or goes on.
    """
    with database.transaction() as session:
        record = changes.change(session, job, new.wish(), new.priority)
        if "labels" in new.model_fields_set:
            record.labels = new.labels
    return _told(record, watcher, engine)


@router.get("/{job}/log", summary="Show what happened to a job", responses=problems(404, 422))
@needs(READ)
def show_log(job: str, database: DatabaseOf, limit: Limit = 50, after: After = None) -> Page[LogEntry]:
    """Requests of clients, claims and losses of workers, pauses and changes, oldest first."""
    items, following = log.page(database, job, limit, after)
    return Page(items=[LogEntry.model_validate(entry, from_attributes=True) for entry in items], next=following)


def _asked(job: str, verb: Verb, database: Any, watcher: Any, engine: Any) -> Job:
    with database.transaction() as session:
        record = verbs.ask(session, job, verb)
    return _told(record, watcher, engine)


def _told(record: JobRecord, watcher: Any, engine: Any) -> Job:
    """Tell all who wait for a job that it may have moved; return it."""
    watcher.nudge()
    engine.nudge()
    return reading.job(record)
