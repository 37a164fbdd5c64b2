"""The end of a sweep: the best trial becomes a version, and the others release what they hold."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.database.record import now
from service.jobs import queue
from service.jobs import records as jobs
from service.jobs.records import JobRecord
from service.jobs.states import Asked, JobError, State
from service.learning.planning.advice import Advice
from service.models import records as models
from service.models.left import records as left_parameters
from service.models.of_sweeps.records import delete_hidden, is_free
from service.sweeps.records import Standing, SweepRecord, TrialRecord


def end(session: Session, sweep: SweepRecord, standings: Sequence[Standing]) -> bool:
    """End a sweep whose trials are all done; return False if the best has still to write its result."""
    best = _best(sweep, standings)
    if best is None:
        _fail(session, sweep, standings)
        return True
    sweep.best_job = best.job
    if best.state == State.PAUSED:
        job = jobs.find(session, best.job, lock=True)
        job.state, job.asked = State.QUEUED, Asked.STOP
        return False
    _give_back(session, standings)
    models.drop_points(session, *(each.job for each in standings if each.job != best.job))
    _add_version(session, sweep, best.trial)
    sweep.state, sweep.ended_at = "succeeded" if sweep.error is None else "failed", now()
    return True


def _best(sweep: SweepRecord, standings: Sequence[Standing]) -> Standing | None:
    """Return the trial with the least loss; once chosen it stays, unless it could not write its result."""
    able = [
        each for each in standings if each.state in (State.SUCCEEDED, State.PAUSED) and loss_of(each.trial) is not None
    ]
    chosen = next((each for each in able if each.job == sweep.best_job and each.state == State.SUCCEEDED), None)
    return chosen or min(able, key=lambda each: (loss_of(each.trial), each.trial.number), default=None)


def loss_of(trial: TrialRecord) -> float | None:
    """Return the loss at the last place of rest; None where there is none, or it was not finite."""
    return trial.losses[-1] if trial.losses else None


def _give_back(session: Session, standings: Sequence[Standing]) -> None:
    """End the trials that rest: they keep their parameters and release what they hold."""
    for each in standings:
        if each.state == State.PAUSED:
            queue.end(session, jobs.find(session, each.job, lock=True), State.CANCELLED)


def _add_version(session: Session, sweep: SweepRecord, trial: TrialRecord) -> None:
    """Add the result of the best trial to its model; where the architecture varies, that becomes a model of its own."""
    job = jobs.find(session, trial.job_id, lock=True)
    left = left_parameters.find(session, job.id)
    assert left is not None, "a trial that succeeds leaves its parameters"
    refused = job.serve == "never" or bool(trial.refused)
    kept = session, job.model_id, left.parameters, job.id, left.signature
    number = models.add_version(*kept, serve=job.serve, refused=refused)
    if number is None:
        detail = f"The model of the best trial, {job.model_id}, was deleted before the sweep ended."
        sweep.error = JobError("model_gone", detail, None)
        return
    sweep.version = job.version = number
    if sweep.model_id is None:
        _reveal(session, sweep, job)
    else:
        _advise_on_serving(session, sweep, number)
    _forget_models(session, sweep)


def _advise_on_serving(session: Session, sweep: SweepRecord, number: int) -> None:
    served = models.find(session, sweep.model_id or "").served
    if served != number:
        patch = f'PATCH /api/models/{sweep.model_id} {{"serving": {number}}}'
        detail = f"Version {served} goes on to be served: {patch} serves version {number}, the best of this sweep."
        sweep.advice = [*sweep.advice, Advice("version_not_served", detail, "#/recipe/serve")]


def _reveal(session: Session, sweep: SweepRecord, job: JobRecord) -> None:
    """Give the best trial's model the sweep's name, and let lists show it."""
    model = models.find(session, job.model_id, lock=True)
    sweep.model_id, model.sweep = model.id, None
    if is_free(session, sweep.owner, sweep.name):
        model.name = sweep.name
    else:
        detail = f"There is a model {sweep.name!r} already: the best of this sweep has the name {model.name}."
        sweep.advice = [*sweep.advice, Advice("name_taken", detail, "#/name")]


def _fail(session: Session, sweep: SweepRecord, standings: Sequence[Standing]) -> None:
    errors = [error for each in standings if (error := jobs.find(session, each.job).error) is not None]
    code, count = next(iter(Counter(error.code for error in errors).most_common(1)), ("cancelled", 0))
    example = next((f" {error.detail}" for error in errors if error.code == code), "")
    detail = f"No trial of {len(standings)} has a finite {sweep.monitor}; {count} failed with {code}.{example}"
    sweep.error = JobError("no_trial_succeeded", detail, None)
    _give_back(session, standings)
    _forget_models(session, sweep)
    sweep.state, sweep.ended_at = "failed", now()


def _forget_models(session: Session, sweep: SweepRecord) -> None:
    """Delete the models that only trials trained; the parameters of these stay readable by job."""
    session.flush()
    delete_hidden(session, sweep.id)
