"""The jobs table as the queue: claims, beats, ends. Every write of a worker carries its attempt."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update
from sqlalchemy import delete as remove
from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.record import now
from service.jobs.log import records as log_of_jobs
from service.jobs.log.records import Happening
from service.jobs.queue import claims
from service.jobs.records import JobRecord, delete_checkpoint
from service.jobs.states import ENDED, LEASE, UNENDED, WITHOUT_WORKER, Asked, JobError, State
from service.models.left import records as left_parameters
from service.models.records import drop_points
from service.telemetry import records as totals

log = logging.getLogger(__name__)

_JOBS = JobRecord.metadata.tables["jobs"]
STOPPED = "The worker was stopped."
LAST = 1000
"""Jobs that ended alike, among which those of one message are looked for."""


def count_waiting(database: Database, most: int) -> int:
    """Count the queued jobs, up to so many; quick, as it is asked at every POST."""
    (count,) = database.look_up(_COUNT_WAITING, {"most": most}) or (0,)
    return int(count)


_COUNT_WAITING = "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'queued' LIMIT :most) AS waiting"


def claimed_by(database: Database, messages: Collection[str]) -> dict[str, str]:
    """Return the running jobs that these messages have claimed, each with its message; quick, too."""
    return {job: message for job, message in database.look_up_all(_CLAIMED, {}) if message in messages}


_CLAIMED = "SELECT id, message FROM jobs WHERE state = 'running' AND message IS NOT NULL"


def claim(session: Session, job: str, message: str) -> int | None:
    """Take a job for the worker that got `message`; return the attempt, or None where there is nothing to do.

    A queued job is free. A running one is taken over only by the same message, sent again when its worker died.
    """
    taken = claims.take(session, job, message)
    if taken is None:
        taken = claims.take_over(session, job, message)
        if taken is None:
            return None
        log_of_jobs.add(session, job, Happening.WORKER_LOST, "The worker was lost.", epoch=taken[1])
        totals.count(session, workers_lost=1)
    attempt, epochs = taken
    epoch = None if attempt == 1 else epochs
    log_of_jobs.add(session, job, Happening.CLAIMED, f"A worker took the job: attempt {attempt}.", epoch=epoch)
    return attempt


def settle(record: JobRecord) -> None:
    """Count the time that a job has yielded, which ends with its claim."""
    if record.yielded_at is not None:
        record.yielded_seconds += (now() - record.yielded_at).total_seconds()
        record.yielded_at = None


def wishes(session: Session, job: str) -> claims.Wishes:
    """Return what a client asked of a job, and the changes of its training that are to take hold."""
    return claims.Wishes(*session.execute(_WISHES, {"job": job}).one())


_WISHES = select(JobRecord.asked, JobRecord.pending).where(JobRecord.id == bindparam("job"))


def end(session: Session, record: JobRecord, state: State, **values: Any) -> None:
    """End a job: it releases what it holds, and drops its checkpoint, and its points if it has no version."""
    end_unread(session, record.id, record.attempt, state, **values)
    session.refresh(record)


def end_unread(session: Session, job: str, attempt: int, state: State, **values: Any) -> None:
    """Do the same for a worker, which knows all of the row that it needs: to read one takes longer than to write it."""
    assert state in ENDED
    ended: dict[str, Any] = {
        "state": state,
        "ended_at": now(),
        "held_model_id": None,
        "held_version": None,
        "held_dataset_id": None,
        "asked": None,
        "pending": None,
        "to_yield": False,
        "yielded_at": None,
    }
    if state == State.SUCCEEDED:
        ended["progress"] = 1.0  # also where it stopped early
    session.execute(_END, {"job": job, **ended, **values})
    if state == State.FAILED:
        error: JobError | None = values.get("error")
        log.warning("job %s failed: %s", job, error.detail if error else "")
    totals.count(session, **{state.value: 1})
    delete_checkpoint(session, job)
    if state != State.SUCCEEDED:
        drop_points(session, job)
    elif attempt > 1:  # it may have left some when it paused
        left_parameters.drop(session, job)


_END = update(_JOBS).where(_JOBS.c.id == bindparam("job"))


def delete(session: Session, record: JobRecord) -> None:
    """Delete an ended job with its reports, log and last parameters."""
    totals.count(session, **{totals.deleted(record.state): 1})
    session.delete(record)


def delete_all(session: Session, jobs: Sequence[str]) -> None:
    """Delete ended jobs with all that hangs on them, except kept epochs that belong to a version."""
    columns = JobRecord.id, JobRecord.state, JobRecord.version
    rows = session.execute(select(*columns).where(JobRecord.id.in_(jobs))).all()
    states = Counter(row.state for row in rows)
    totals.count(session, **{totals.deleted(state): count for state, count in states.items()})
    drop_points(session, *(row.id for row in rows if row.version is None))
    session.execute(remove(JobRecord).where(JobRecord.id.in_(jobs)))


def verification_of(session: Session, job: str) -> str | None:
    """Return a job that has not ended and trains this one again."""
    return session.scalar(select(JobRecord.id).where(JobRecord.state.in_(UNENDED), JobRecord.verifies == job).limit(1))


def any_lost(session: Session) -> bool:
    """Whether `requeue_lost` would find something: called often, so without a write lock."""
    return session.scalar(select(JobRecord.id).where(*_lost(now() - timedelta(seconds=LEASE))).limit(1)) is not None


def seen_of(session: Session, messages: Collection[str]) -> tuple[bool, set[str], set[str]]:
    """Return whether a job waits, which of these messages have claimed one, and which of those have not beaten for the
    lease.
    """
    waits = session.scalar(select(JobRecord.id).where(JobRecord.state == State.QUEUED).limit(1)) is not None
    running = select(JobRecord.message, JobRecord.beat).where(JobRecord.state == State.RUNNING)
    claimed = {message: beat for message, beat in session.execute(running) if message and message in messages}
    horizon = now() - timedelta(seconds=LEASE)
    overdue = {message for message, beat in claimed.items() if beat is not None and beat < horizon}
    return waits, set(claimed), overdue


def _lost(horizon: datetime) -> tuple[ColumnElement[bool], ...]:
    return JobRecord.state == State.RUNNING, JobRecord.beat < horizon


def requeue_lost(session: Session, *, all_running: bool = False) -> dict[str, str | None]:
    """Call jobs of lost workers back, and return them, each with the message that had claimed it.

    A worker counts as lost when its job has not beaten for the lease, or, with `all_running`, in any case.
    """
    lost = (JobRecord.state == State.RUNNING,) if all_running else _lost(now() - timedelta(seconds=LEASE))
    end_of_worker = "the end of the service" if all_running else f"no heartbeat for {LEASE:g} s"
    records = list(session.scalars(select(JobRecord).where(*lost).with_for_update()))
    called_back = {record.id: record.message for record in records}
    for record in records:
        _lose(session, record, end_of_worker)
    return called_back


def lose(session: Session, message: str, end_of_worker: str | None) -> list[str]:
    """Call back the jobs that this message claimed, whose worker has ended, and return them."""
    running = JobRecord.message == message, JobRecord.state == State.RUNNING
    records = list(session.scalars(select(JobRecord).where(*running).with_for_update()))
    for record in records:
        _lose(session, record, end_of_worker)
    return [record.id for record in records]


def has_ended(session: Session, message: str) -> bool:
    """Whether one of the jobs that ended last was claimed by this message, whose worker then waited for another."""
    return any(message in session.scalars(_LAST_MESSAGES, {"state": state}) for state in ENDED)


_LAST_MESSAGES = (
    select(JobRecord.message).where(JobRecord.state == bindparam("state")).order_by(JobRecord.id.desc()).limit(LAST)
)


def _lose(session: Session, record: JobRecord, end_of_worker: str | None) -> None:
    """Make the job `queued` again; `cancelled` where a client asked for that, and `failed` after too many losses."""
    totals.count(session, workers_lost=1)
    record.losses_of_worker += 1
    record.losses_since_checkpoint += 1
    if end_of_worker is not None:
        record.ends_of_workers = [*(record.ends_of_workers or ()), end_of_worker]
    how = f": {end_of_worker}" if end_of_worker is not None else ""
    log_of_jobs.add(session, record.id, Happening.WORKER_LOST, f"The worker was lost{how}.", epoch=record.epochs_done)
    if record.losses_since_checkpoint < record.max_attempts or record.asked in (Asked.CANCEL, Asked.PAUSE):
        without_worker(session, record)
    else:
        fail_for_losses(session, record)


def release(session: Session, messages: Collection[str]) -> None:
    """Give the jobs that were claimed by these messages back: their workers were stopped, which is not their fault."""
    running = JobRecord.message.in_(messages), JobRecord.state == State.RUNNING
    for record in session.scalars(select(JobRecord).where(*running).with_for_update()):
        give_back(session, record, STOPPED)


def release_all(session: Session) -> list[str]:
    """Give all jobs back that ran when the database was copied, and return them: none of their workers is here."""
    records = list(session.scalars(select(JobRecord).where(JobRecord.state == State.RUNNING)))
    for record in records:
        give_back(session, record, STOPPED)
    return [record.id for record in records]


def give_back(session: Session, record: JobRecord, why: str) -> None:
    """Take a running job from its worker, which is not lost."""
    log_of_jobs.add(session, record.id, Happening.RELEASED, why, epoch=record.epochs_done)
    without_worker(session, record)


def without_worker(session: Session, record: JobRecord, *, yields: bool = False) -> None:
    """Give a running job its standing without a worker, which depends on what clients asked of it.

    One that `yields` has given its worker to a short job, and goes on behind it.
    """
    record.message, record.to_yield = None, False
    state, asked = WITHOUT_WORKER[None if record.asked is None else Asked(record.asked)]
    if state in ENDED:
        end(session, record, state)
        return
    record.state, record.asked = state, asked
    if state == State.PAUSED:
        log_of_jobs.add(session, record.id, Happening.PAUSED, "The job rests.", epoch=record.epochs_done)
    elif yields:
        record.yielded_at = now()
        detail = "The worker went to a short job that waited."
        log_of_jobs.add(session, record.id, Happening.YIELDED, detail, epoch=record.epochs_done)


def fail_for_losses(session: Session, record: JobRecord) -> None:
    error = JobError("worker_lost", _about_losses(record), record.epochs_done)
    end(session, record, State.FAILED, error=error)


def _about_losses(record: JobRecord) -> str:
    """Describe the losses of workers that fail a job, as far as they are known."""
    lost, in_all = record.losses_since_checkpoint, record.losses_of_worker
    total = "" if in_all == lost else f" ({in_all} in all)"
    ends = Counter(record.ends_of_workers or ())
    unknown = lost - ends.total()
    known = [f"{count} by {end_of_worker}" for end_of_worker, count in ends.most_common()]
    if unknown > 0:
        known.append(f"{unknown} in a way that is not known here")
    sentences = [
        f"{lost} workers were lost without a further checkpoint between them{total}",
        f"They ended: {', '.join(known)}",
    ]
    if record.peak_memory is not None:
        sentences.append(
            f"By the last heartbeat the worker had used at most {record.peak_memory / 1e6:,.0f} MB of memory"
        )
    return "".join(f"{sentence}. " for sentence in sentences).rstrip()
