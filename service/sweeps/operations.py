"""The rules of sweeps."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.errors import Conflict
from service.ids import new_id
from service.jobs import operations as jobs
from service.jobs import queue
from service.jobs import records as job_records
from service.jobs.states import State, Verb
from service.jobs.steering import verbs
from service.models import operations as models
from service.sweeps import records
from service.sweeps.conduct import monitored_loss
from service.sweeps.drafts import SweepDraft, Trial
from service.sweeps.records import Standing, SweepRecord, TrialRecord

SweepVerb = Literal["stop", "pause", "resume"]
PAST = {"stop": "stopped", "pause": "paused", "resume": "resumed"}


def create(session: Session, draft: SweepDraft) -> SweepRecord:
    """Write the sweep, and a queued job for each trial.

    Raises:
        NotFound: model, version or dataset were deleted since the draft.
        Conflict: the name is taken.
    """
    new, id = draft.new, new_id("swp")
    first = draft.trials[0].draft
    sent = new.model_dump(mode="json")
    sweep = SweepRecord(
        id=id,
        name=new.name or id,
        model_id=None if draft.trials[0].blueprint else first.model,
        dataset_id=first.dataset,
        recipe=sent["recipe"],
        vary=sent["vary"],
        method=new.method,
        monitor=new.monitor,
        seed=new.seed,
        rungs=draft.rungs,
        trials=len(draft.trials),
        plan=draft.plan,
        advice=draft.advice,
    )
    session.add(sweep)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(f"There is a sweep {sweep.name!r} already.", "name_taken") from None
    for number, trial in enumerate(draft.trials):
        _add_trial(session, sweep, number, trial)
    session.flush()
    return sweep


def _add_trial(session: Session, sweep: SweepRecord, number: int, trial: Trial) -> None:
    draft = trial.draft
    if trial.blueprint is not None:
        model = models.create(session, None, trial.blueprint)
        model.sweep = sweep.id
        draft = replace(draft, model=model.id)
    job = jobs.enqueue(session, draft)
    job.sweep = sweep.id
    job.rest_after = sweep.rungs[0] if sweep.rungs else None
    session.add(TrialRecord(sweep_id=sweep.id, number=number, job_id=job.id, varied=trial.varied, losses=[]))


def ask(session: Session, reference: str, verb: SweepVerb) -> SweepRecord:
    """Move a sweep, and with it its trials, as a client asks. Idempotent.

    Raises:
        NotFound: there is no such sweep.
        Conflict: it has ended, or is about to.
    """
    sweep = records.find(session, reference, lock=True)
    if verb == "stop" and (sweep.is_stopping or sweep.state == "succeeded"):
        return sweep
    if sweep.state not in ("running", "paused"):
        detail = f"Sweep {sweep.name} has {sweep.state}: only running and paused sweeps can be {PAST[verb]}."
        raise Conflict(detail, "sweep_ended")
    if sweep.is_stopping:
        detail = f"A client asked to stop sweep {sweep.name}: it ends as soon as its trials have."
        raise Conflict(detail, "asked_to_stop")
    MOVES[verb](session, sweep, records.standings(session, sweep.id))
    return sweep


def _pause(session: Session, sweep: SweepRecord, standings: Sequence[Standing]) -> None:
    sweep.state = "paused"
    for each in standings:
        if not each.ended and each.state != State.PAUSED:
            _try(session, each.job, Verb.PAUSE)


def _resume(session: Session, sweep: SweepRecord, standings: Sequence[Standing]) -> None:
    sweep.state = "running"
    for each in standings:
        if not each.ended and not each.rests:
            _try(session, each.job, Verb.RESUME)


def _stop(session: Session, sweep: SweepRecord, standings: Sequence[Standing]) -> None:
    """Finish trials that have a worker, end those that have not begun, and let all others rest where they are."""
    sweep.state, sweep.is_stopping = "running", True
    for each in standings:
        if each.ended:
            continue
        if each.state == State.RUNNING:
            _try(session, each.job, Verb.STOP)
        elif not each.epochs_done:
            _try(session, each.job, Verb.CANCEL)
        else:
            _rest_here(session, sweep, each)


def _rest_here(session: Session, sweep: SweepRecord, standing: Standing) -> None:
    """Let a trial rest where it is: what it has learned is compared with the others."""
    record = job_records.find(session, standing.job, lock=True)
    record.state, record.rest_after = State.PAUSED, record.epochs_done
    standing.trial.losses = [*standing.trial.losses, monitored_loss(session, standing.job, sweep.monitor)]


def _try(session: Session, job: str, verb: Verb) -> None:
    """Ask a trial, unless a client has asked it for something stronger already."""
    with suppress(Conflict):
        verbs.ask(session, job, verb)


MOVES: dict[SweepVerb, Callable[[Session, SweepRecord, Sequence[Standing]], None]] = {
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
}


def delete(database: Database, reference: str) -> None:
    """Delete an ended sweep with its jobs; the version that its best trial became stays.

    Raises:
        NotFound: there is no such sweep.
        Conflict: it has not ended.
    """
    with database.transaction() as session:
        sweep = records.find(session, reference, lock=True)
        if sweep.state in ("running", "paused"):
            detail = f"Sweep {sweep.name} is {sweep.state}: POST /api/sweeps/{sweep.name}/stop ends it."
            raise Conflict(detail, "sweep_not_ended")
        queue.delete_all(session, [each.job for each in records.standings(session, sweep.id)])
        session.delete(sweep)
