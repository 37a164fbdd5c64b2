"""The jobs table as the queue: claims, beats, ends. Every write of a worker carries its attempt."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from service.database.columns import new_id, now
from service.jobs.records import JobRecord, delete_checkpoint
from service.jobs.states import ENDED, LEASE, MAX_LOSSES_OF_WORKER, Asked, State
from service.models.records import drop_points


def add(session: Session, model: str, dataset: str, **values: Any) -> JobRecord:
    """Queue a job; until it ends, nobody can delete its model or dataset (ids)."""
    held = {"held_model_id": model, "held_dataset_id": dataset}
    record = JobRecord(id=new_id("job"), model_id=model, dataset_id=dataset, **held, **values)
    session.add(record)
    session.flush()  # fills the defaults in
    return record


def waiting(session: Session, limit: int, without: Collection[str]) -> list[str]:
    """The oldest queued jobs that have no message under way."""
    statement = select(JobRecord.id).where(JobRecord.state == State.QUEUED, JobRecord.id.not_in(without))
    return list(session.scalars(statement.order_by(JobRecord.id).limit(limit)))


def claim(session: Session, job: str, message: str) -> int | None:
    """Take a job for the worker that got `message`; the attempt, or None where there is nothing to do.

    A queued job is free. A running one is taken over only by the same message, which comes again when its worker died.
    """
    same = and_(JobRecord.state == State.RUNNING, JobRecord.message == message)
    statement = (
        update(JobRecord)
        .where(JobRecord.id == job, or_(JobRecord.state == State.QUEUED, same))
        .values(
            state=State.RUNNING,
            attempt=JobRecord.attempt + 1,
            losses_of_worker=JobRecord.losses_of_worker + case((same, 1), else_=0),
            message=message,
            beat=now(),
            started_at=case((JobRecord.started_at.is_(None), now()), else_=JobRecord.started_at),
        )
        .returning(JobRecord.attempt)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).scalar_one_or_none()


def write(session: Session, job: str, attempt: int, **values: Any) -> bool:
    """Change a running job on behalf of its worker; False where the worker has lost its claim, and nothing changes."""
    statement = (
        update(JobRecord)
        .where(JobRecord.id == job, JobRecord.attempt == attempt, JobRecord.state == State.RUNNING)
        .values(beat=now(), **values)
        .returning(JobRecord.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def asked_of(session: Session, job: str) -> str | None:
    return session.scalar(select(JobRecord.asked).where(JobRecord.id == job))


def end(session: Session, record: JobRecord, state: State, **values: Any) -> None:
    """End a job: it holds nothing any more, and needs no checkpoint; without a version, its points cannot be named."""
    assert state in ENDED
    ended = {"state": state, "ended_at": now(), "held_model_id": None, "held_dataset_id": None, "asked": None}
    for column, value in {**ended, **values}.items():
        setattr(record, column, value)
    delete_checkpoint(session, record.id)
    if state != State.SUCCEEDED:
        drop_points(session, record.id)


def any_lost(session: Session) -> bool:
    """Whether `requeue_lost` would find something: asked often, and needs no write lock."""
    return session.scalar(select(JobRecord.id).where(*_lost(now() - timedelta(seconds=LEASE))).limit(1)) is not None


def _lost(horizon: datetime) -> tuple[ColumnElement[bool], ...]:
    return JobRecord.state == State.RUNNING, JobRecord.beat < horizon


def requeue_lost(session: Session, *, all_running: bool = False) -> list[str]:
    """Call jobs of lost workers back; the jobs.

    A worker counts as lost when its job has not beaten for the lease, or, with `all_running`, in any case. Its job is
    `queued` again; `cancelled` where a client has asked for that, and `failed` after too many losses.
    """
    lost = (JobRecord.state == State.RUNNING,) if all_running else _lost(now() - timedelta(seconds=LEASE))
    records = list(session.scalars(select(JobRecord).where(*lost).with_for_update()))
    for record in records:
        record.losses_of_worker += 1
        if record.losses_of_worker < MAX_LOSSES_OF_WORKER or record.asked == Asked.CANCEL:
            _requeue(session, record)
        else:
            fail_for_losses(session, record)
    return [record.id for record in records]


def release(session: Session, messages: Collection[str]) -> None:
    """Give the jobs that were claimed by these messages back: their workers were stopped, which is not their fault."""
    running = JobRecord.message.in_(messages), JobRecord.state == State.RUNNING
    for record in session.scalars(select(JobRecord).where(*running).with_for_update()):
        _requeue(session, record)


def _requeue(session: Session, record: JobRecord) -> None:
    record.message = None
    if record.asked == Asked.CANCEL:
        end(session, record, State.CANCELLED)
    else:
        record.state = State.QUEUED


def fail_for_losses(session: Session, record: JobRecord) -> None:
    detail = f"{record.losses_of_worker} workers were lost while they trained this job; perhaps it needs more memory."
    error = {"code": "worker_lost", "detail": detail, "epoch": record.epochs_done}
    end(session, record, State.FAILED, error=error)
