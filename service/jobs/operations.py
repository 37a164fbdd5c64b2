"""The rules of jobs."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.lookup import Filters
from service.datasets import records as datasets
from service.errors import Conflict, NotFound
from service.jobs import queue, records
from service.jobs.drafts import Draft
from service.jobs.queue import adding
from service.jobs.records import Group, JobRecord
from service.jobs.states import ENDED, Asked, State
from service.learning import notation
from service.learning.network import LayerValues, Network
from service.models import parameter_bytes
from service.models import records as models
from service.models.left import records as left_parameters
from service.models.serving.records import check_own
from service.pointers import reference_at

CENTURY = 100 * 365.25 * 86400
"""Seconds; an estimate beyond means nothing, and leaves the calendar at last."""


def enqueue(session: Session, job: Draft) -> JobRecord:
    """Write one queued row.

    Raises:
        NotFound: model, version or dataset were deleted since the draft.
        Forbidden: the model is another owner's, who has shared it.
    """
    begun_from = job.recipe.from_version
    if not job.is_own:
        _check_own(session, job)
    values = {"recipe": job.recipe, "plan": job.plan, "advice": job.advice, "serve": job.serve, "labels": job.labels}
    try:
        return adding.add(session, job.model, begun_from, job.dataset, **values, **asdict(job.limits))
    except IntegrityError:  # a job holds what it needs by foreign keys
        session.rollback()
        _check_own(session, job)
        with reference_at("#/from_version"):
            models.version(session, job.model, begun_from, parameters=False)
        with reference_at("#/dataset"):
            datasets.find(session, job.dataset, to_read=True)
        raise


def _check_own(session: Session, job: Draft) -> None:
    with reference_at("#/model"):
        check_own(session, job.model)


def show(database: Database, job: str) -> JobRecord:
    with database.reading() as session:
        return records.find(session, job)


def page(
    database: Database,
    limit: int,
    after: str | None,
    state: str | None,
    model: str | None,
    dataset: str | None,
    group: Group,
    filters: Filters,
) -> tuple[list[JobRecord], str | None]:
    """Jobs, newest first; `model` and `dataset` are ids or names, or ids of deleted ones."""
    with database.reading() as session:
        model_id = _id_of(session, models.find, model)
        dataset_id = _id_of(session, datasets.find, dataset)
        return records.page(session, limit, after, state, model_id, dataset_id, group, filters)


def delete(database: Database, job: str) -> None:
    """Delete an ended job with its reports, log and last parameters; its version stays, with its kept epochs.

    Raises:
        NotFound: there is no such job.
        Conflict: it has not ended, or one that verifies it has not.
    """
    with database.transaction() as session:
        record = records.find(session, job, lock=True)  # which also keeps new verifications away
        if not ended(record):
            detail = f"Job {job} is {record.state}: only jobs that have ended can be deleted. {_way_to_end(record)}"
            raise Conflict(detail, "job_not_ended")
        _check_alone(record)
        verification = queue.verification_of(session, job)
        if verification is not None:
            detail = f"Job {verification} trains job {job} again, and has not ended: wait for it, or cancel it."
            raise Conflict(detail, "job_in_use")
        queue.delete(session, record)


def _check_alone(record: JobRecord) -> None:
    """Raise Conflict for a job that belongs to a greater whole, which would lack it."""
    whole = {"sweep": record.sweep, "cross-validation": record.cross_validation}
    for noun, id in whole.items():
        if id is not None:
            detail = f"Job {record.id} belongs to {noun} {id}: DELETE /api/{noun}s/{id} deletes it with its jobs."
            raise Conflict(detail, f"part_of_{noun.replace('-', '_')}")


def _way_to_end(record: JobRecord) -> str:
    if record.asked == Asked.CANCEL:
        return "A client asked to cancel it: it ends in a moment."
    return f"POST /api/jobs/{record.id}/cancel ends it."


def _id_of(session: Session, find: Callable[[Session, str], Any], reference: str | None) -> str | None:
    if reference is None:
        return None
    try:
        return str(find(session, reference).id)
    except NotFound:  # deleted, perhaps; its jobs still carry its id
        return reference


def estimated_finish_at(record: JobRecord) -> datetime | None:
    """Estimate the time at which a running job will end if it continues at its workers' pace so far."""
    if record.state != State.RUNNING or not record.progress or record.beat is None:
        return None
    seconds = record.seconds / record.progress * (1 - record.progress)
    return record.beat + timedelta(seconds=seconds) if seconds < CENTURY else None


def ended(record: JobRecord) -> bool:
    return record.state in ENDED


def at_rest(record: JobRecord) -> bool:
    """Whether nothing more will come of a job unless a client asks."""
    return ended(record) or record.state == State.PAUSED


def last_layers(database: Database, job: str) -> list[LayerValues]:
    """The last finite parameters of a job that added no version, layer by layer.

    Raises:
        NotFound: there is no such job.
        Conflict: it has not ended, or has added a version.
    """
    with database.reading() as session:
        record = records.find(session, job)
        left = left_parameters.find(session, job)
    if left is None or not ended(record):
        detail = f"Job {job} is {record.state}: only those that broke off in training leave parameters here."
        raise Conflict(detail, "no_last_parameters")
    network = Network(notation.read(left.architecture), left.dtype)
    return network.unflatten(parameter_bytes.from_bytes(left.parameters))
