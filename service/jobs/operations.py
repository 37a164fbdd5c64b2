"""The rules of jobs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.database.columns import new_id, now
from service.database.engine import Database
from service.datasets import records as datasets
from service.datasets.records import DatasetRecord
from service.errors import Conflict, Fault, NotFound, invalid
from service.jobs import queue, records
from service.jobs.records import JobRecord
from service.jobs.schemas import NewJob, Recipe
from service.jobs.states import ENDED, Asked, State
from service.learning import notation, training
from service.learning.network import Network
from service.models import parameters
from service.models import records as models
from service.models.networks import Networks, TrainedNetwork


@dataclass(frozen=True)
class Draft:
    """A job that could be created: everything found, checked and frozen."""

    model: str
    dataset: str
    recipe: dict[str, Any]
    plan: dict[str, Any]


def draft(database: Database, networks: Networks, new: NewJob) -> Draft:
    """Check that model, dataset and recipe fit, and plan the training.

    Raises:
        NotFound: model, version or dataset; with its pointer.
        Invalid: widths or batches do not fit.
    """
    with database.reading() as session:
        with reference_at("#/dataset"):
            dataset = datasets.find(session, new.dataset)
        with reference_at("#/model"):
            models.find(session, new.model)
        with reference_at("#/from_version"):
            start = networks.get(session, new.model, new.from_version)
    check_widths(start.network, dataset, "#/dataset")
    if not new.partial and new.batch_size is not None and new.batch_size > dataset.train_rows:
        detail = f"No batch of {new.batch_size} rows is full: the training part has {dataset.train_rows}."
        raise invalid("#/batch_size", detail, "no_full_batch")
    plan = training.plan(start.network, dataset.train_rows, dataset.validation_rows, new.term())
    return Draft(start.model, dataset.id, _frozen(new, start), asdict(plan))


@contextmanager
def reference_at(pointer: str) -> Iterator[None]:
    """Say where in the body the reference stands that is not found."""
    try:
        yield
    except NotFound as error:
        raise NotFound(error.detail, error.code, (Fault(pointer, error.detail),)) from None


def check_widths(network: Network, dataset: DatasetRecord, pointer: str) -> None:
    """Raises Invalid where the columns of the dataset do not fit the network."""
    wanted, given = (network.inputs, network.outputs), (dataset.inputs, dataset.outputs)
    if wanted != given:
        detail = (
            f"The model maps {wanted[0]} inputs to {wanted[1]} outputs, "
            f"but the dataset has {given[0]} inputs and {given[1]} outputs: "
            f"the model's architecture would have to go from {given[0]} to {given[1]}."
        )
        raise invalid(pointer, detail, "widths_differ")


def _frozen(new: NewJob, start: TrainedNetwork) -> dict[str, Any]:
    recipe = new.model_dump(mode="json", by_alias=True, include=set(Recipe.model_fields))
    return {"from_version": start.version, **recipe}


def recipe_of(record: JobRecord) -> training.Recipe:
    frozen = {name: value for name, value in record.recipe.items() if name != "from_version"}
    return Recipe.model_validate(frozen).term()


def enqueue(session: Session, job: Draft) -> JobRecord:
    """Write one queued row.

    Raises:
        NotFound: model or dataset were deleted since the draft.
    """
    with reference_at("#/model"):
        models.find(session, job.model)
    with reference_at("#/dataset"):
        datasets.find(session, job.dataset)
    record = JobRecord(
        id=new_id("job"),
        model_id=job.model,
        held_model_id=job.model,
        dataset_id=job.dataset,
        held_dataset_id=job.dataset,
        recipe=job.recipe,
        plan=job.plan,
        state=State.QUEUED,
        attempt=0,
        losses_of_worker=0,
        progress=0.0,
        epochs_done=0,
        created_at=now(),
    )
    session.add(record)
    return record


def show(database: Database, job: str) -> JobRecord:
    with database.reading() as session:
        return records.find(session, job)


def page(
    database: Database, limit: int, after: str | None, state: str | None, model: str | None, dataset: str | None
) -> tuple[list[JobRecord], str | None]:
    """Jobs, newest first; `model` and `dataset` are ids or names, also of what is deleted (ids then)."""
    with database.reading() as session:
        model_id = _id_of(session, models.find, model)
        dataset_id = _id_of(session, datasets.find, dataset)
        return records.page(session, limit, after, state, model_id, dataset_id)


def _id_of(session: Session, find: Callable[[Session, str], Any], reference: str | None) -> str | None:
    if reference is None:
        return None
    try:
        return str(find(session, reference).id)
    except NotFound:  # deleted, perhaps; its jobs still carry its id
        return reference


def cancel(session: Session, job: str) -> JobRecord:
    """Throw a job away: at once where no worker has it, else at the worker's next beat. Idempotent.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended otherwise.
    """
    record = records.find(session, job, lock=True)
    match State(record.state):
        case State.QUEUED | State.PAUSED:
            for column, value in queue.end(State.CANCELLED).items():
                setattr(record, column, value)
            records.delete_checkpoint(session, job)
        case State.RUNNING:
            record.asked = Asked.CANCEL
        case State.SUCCEEDED | State.FAILED:
            detail = f"Job {job} has {record.state}: only queued, running and paused jobs can be cancelled."
            raise Conflict(detail, "job_ended")
        case State.CANCELLED:
            pass
    return record


def estimated_finish_at(record: JobRecord) -> datetime | None:
    """When a running job will end if it goes on as it did."""
    if record.state != State.RUNNING or not record.progress or record.started_at is None:
        return None
    return record.started_at + (now() - record.started_at) / record.progress


def ended(record: JobRecord) -> bool:
    return record.state in ENDED


def last_layers(database: Database, job: str) -> list[dict[str, Any]]:
    """The last finite parameters of a job that added no version, layer by layer.

    Raises:
        NotFound: there is no such job.
        Conflict: it has not ended, or has added a version.
    """
    with database.reading() as session:
        record = records.find(session, job)
        left = records.last_parameters(session, job)
    if left is None:
        detail = (
            f"Job {job} is {record.state}: only jobs that were stopped by an error or a client leave parameters here."
        )
        raise Conflict(detail, "no_last_parameters")
    network = Network(notation.read(left.architecture), left.dtype)
    return network.unflatten(parameters.from_bytes(left.parameters))
