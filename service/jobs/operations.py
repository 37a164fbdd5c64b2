"""The rules of jobs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.record import now
from service.datasets import records as datasets
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView, check_weights, has_feature
from service.errors import Conflict, Fault, NotFound, invalid
from service.jobs import growth, queue, records
from service.jobs.records import JobRecord
from service.jobs.schemas import NewJob, Recipe
from service.jobs.states import ENDED, Asked, State
from service.learning import notation, training
from service.learning.advice import Advice, advice
from service.learning.network import Network
from service.learning.plan import Plan
from service.learning.plan import plan as plan_of
from service.learning.recipe import RecipeError
from service.models import parameter_bytes
from service.models import records as models
from service.models.networks import Networks
from service.models.signature.from_data import no_probabilities
from service.models.trained_network import TrainedNetwork
from service.storage.storage import Storage

EXACT_PLAN_INPUTS = 500
"""With more, the eigenvalues behind exact rates would take longer than a request should; a sample of rows estimates."""
CENTURY = 100 * 365.25 * 86400
"""Seconds; an estimate beyond says nothing, and leaves the calendar at last."""


@dataclass(frozen=True)
class Draft:
    """A job that could be created: everything found, checked and frozen."""

    model: str
    dataset: str
    recipe: dict[str, Any]
    plan: dict[str, Any]
    advice: list[dict[str, Any]]


def draft(database: Database, storage: Storage, networks: Networks, new: NewJob, most_bytes: int) -> Draft:
    """Check that model, dataset and recipe fit, and plan the training, which may write `most_bytes` into the database.

    Raises:
        NotFound: model, version, kept epoch or dataset; with its pointer.
        Conflict: the dataset is loading.
        Invalid: there is nothing to train; widths, batches, weights or path do not fit; or the rate is unstable and
            that was not wanted.
    """
    with database.reading() as session:
        with reference_at("#/dataset"):
            dataset = datasets.find_ready(session, new.dataset)
        with reference_at("#/model"):
            models.find(session, new.model)
        with reference_at("#/from_version"):
            start = networks.get(session, new.model, new.from_version)
        if new.from_epoch is not None:
            with reference_at("#/from_epoch"):
                start = networks.get(session, start.model, start.version, new.from_epoch)
        if new.sample_weights is not None:
            check_weights(dataset, new.sample_weights, "#/sample_weights")
    if not start.network.parameter_count:
        raise invalid("#/model", "This model has no parameters: there is nothing to train.", "nothing_to_train")
    view = DatasetView(storage, dataset, start.network.dtype, new.sample_weights)
    view.check(start.network, "#/dataset")
    if not new.partial and new.batch_size is not None and new.batch_size > dataset.train_rows:
        detail = f"No batch of {new.batch_size} rows is full: the training part has {dataset.train_rows}."
        raise invalid("#/batch_size", detail, "no_full_batch")
    plan, given = _plan(view, start, new)
    grows = growth.growth_of(plan, new.term(), start.vector.nbytes, dataset.validation_rows, new.keep_every)
    growth.check(grows, most_bytes)
    large = growth.advice(grows)
    return Draft(
        start.model,
        dataset.id,
        _frozen(new, start),
        {**asdict(plan), "bytes": grows.total},
        [asdict(each) for each in (given if large is None else (*given, large))],
    )


def _plan(view: DatasetView, start: TrainedNetwork, new: NewJob) -> tuple[Plan, tuple[Advice, ...]]:
    dataset, recipe = view.dataset, new.term()
    gram = view.gram("train") if dataset.inputs <= EXACT_PLAN_INPUTS else None
    try:
        plan = plan_of(
            start.network,
            dataset.train_rows,
            dataset.validation_rows,
            recipe,
            gram=gram,
            validation_gram=view.gram("validation"),
            weighted=new.sample_weights is not None,
            fresh=start.fresh,
            parameters=start.vector,
            train=lambda: view.part("train"),
        )
    except RecipeError as error:
        raise invalid(f"#/{error.field}", f"{error.field} {error.message}.", f"impossible_{error.field}") from None
    given = advice(plan, recipe, network=start.network, gram=gram, validation_rows=dataset.validation_rows)
    if not any(each.code == "loss_takes_probabilities" for each in given):  # whose remedy gives probabilities as well
        lacking = no_probabilities(dataset, start.network, recipe.loss)
        given = given if lacking is None else (*given, lacking)
    for each in given:
        if new.reject_unstable and each.code == "unstable_rate":
            raise invalid(each.pointer, each.detail, each.code)
    return plan, given


@contextmanager
def reference_at(pointer: str) -> Iterator[None]:
    """Say where in the body the reference stands that is not found."""
    try:
        yield
    except NotFound as error:
        raise NotFound(error.detail, error.code, (Fault(pointer, error.detail),)) from None


def _frozen(new: NewJob, start: TrainedNetwork) -> dict[str, Any]:
    recipe = new.model_dump(mode="json", by_alias=True, include=set(Recipe.model_fields))
    return {"from_version": start.version, "from_epoch": start.epoch, **recipe}


def recipe_of(record: JobRecord) -> training.Recipe:
    """The recipe in the words of the learning core, with the path that the plan chose."""
    frozen = {name: value for name, value in record.recipe.items() if name in Recipe.model_fields}
    return replace(Recipe.model_validate(frozen).term(), path=record.plan["path"])


def weights_in(recipe: dict[str, Any], dataset: DatasetRecord) -> str | None:
    """The column that a model trained by this recipe does not take as input, where the dataset has it."""
    name: str | None = recipe.get("sample_weights")
    return name if name is not None and has_feature(dataset, name) else None


def enqueue(session: Session, job: Draft) -> JobRecord:
    """Write one queued row.

    Raises:
        NotFound: model or dataset were deleted since the draft.
    """
    with reference_at("#/model"):
        models.find(session, job.model)
    with reference_at("#/dataset"):
        datasets.find(session, job.dataset)
    return queue.add(session, job.model, job.dataset, recipe=job.recipe, plan=job.plan, advice=job.advice)


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
            queue.end(session, record, State.CANCELLED)
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
    seconds = (now() - record.started_at).total_seconds() / record.progress
    return record.started_at + timedelta(seconds=seconds) if seconds < CENTURY else None


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
        left = models.last_parameters(session, job)
    if left is None:
        detail = f"Job {job} is {record.state}: only those that broke off in training leave parameters here."
        raise Conflict(detail, "no_last_parameters")
    network = Network(notation.read(left.architecture), left.dtype)
    return network.unflatten(parameter_bytes.from_bytes(left.parameters))
