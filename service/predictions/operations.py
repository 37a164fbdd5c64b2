"""The rules of predictions and evaluations."""

from typing import Any

from sqlalchemy.orm import Session

from service import numbers
from service.database.columns import new_id, now
from service.database.engine import Database
from service.datasets import records as datasets
from service.datasets.storage import Storage
from service.errors import invalid
from service.jobs import records as jobs
from service.jobs.operations import recipe_of, reference_at, weights_in
from service.jobs.parts import View
from service.jobs.records import JobRecord
from service.learning import metrics
from service.learning.losses import MSE, Loss
from service.models import records as models
from service.models.networks import Networks, TrainedNetwork
from service.numbers import Array
from service.predictions.records import EvaluationRecord
from service.predictions.schemas import NewEvaluation, NewPrediction


def predict(
    database: Database, storage: Storage, networks: Networks, reference: str, version: int | None, new: NewPrediction
) -> tuple[TrainedNetwork, Array]:
    """The network that was asked, and its outputs (rows × outputs).

    Raises:
        NotFound: model, version or dataset.
        Invalid: rows do not fit, or an output overflows.
    """
    with database.reading() as session:
        trained = networks.get(session, reference, version)
        view = _view(session, storage, trained, new.dataset) if new.dataset else None
    if view is not None:
        inputs, pointer = view.part(new.part).inputs, "#/part"
    else:
        pointer = "#/inputs"
        inputs = numbers.matrix(new.inputs, trained.network.inputs, trained.network.dtype, pointer)
    outputs = trained.predict(inputs)
    row = numbers.first_overflow(outputs)
    if row is not None:
        where = f"{pointer}/{row}" if view is None else pointer
        raise invalid(where, f"The output of row {row} is too large for {trained.network.dtype}.", "overflow")
    return trained, outputs


def _view(session: Session, storage: Storage, trained: TrainedNetwork, reference: str) -> View:
    """The dataset as the network sees it; a column of weights that it was trained with is no input."""
    with reference_at("#/dataset"):
        dataset = datasets.find(session, reference)
    job = _job_of(session, trained)
    weights = None if job is None else weights_in(job.recipe, dataset)
    view = View(storage, dataset, trained.network.dtype, weights)
    view.check(trained.network, "#/dataset")
    return view


def evaluate(
    database: Database, storage: Storage, networks: Networks, reference: str, new: NewEvaluation
) -> EvaluationRecord:
    """Check a version on a part of a dataset; `keep` then keeps what came out.

    Raises:
        NotFound: model, version or dataset.
        Invalid: the dataset does not fit, or the part is empty.
    """
    with database.reading() as session:
        models.find(session, reference)
        with reference_at("#/version"):
            trained = networks.get(session, reference, new.version)
        view = _view(session, storage, trained, new.dataset)
        loss = new.loss.term() if new.loss is not None else _loss_of(session, trained)
    part = view.part(new.part)
    if part.weights is not None and not part.weights.any():
        detail = f"All weights, those of column {view.weights!r}, are 0 in the {new.part} part."
        raise invalid("#/part", detail, "impossible_weights")
    return EvaluationRecord(
        id=new_id("ev"),
        model_id=trained.model,
        version=trained.version,
        dataset_id=view.dataset.id,
        part=new.part,
        loss=numbers.finite(trained.network.loss(trained.vector, part.inputs, part.targets, loss, part.weights)),
        metrics={
            name: numbers.finite(value)
            for name, value in metrics.regression(trained.predict(part.inputs), part.targets).items()
        },
        rows=len(part),
        created_at=now(),
    )


def keep(session: Session, record: EvaluationRecord) -> None:
    """Add an evaluation.

    Raises:
        NotFound: its model was deleted meanwhile.
    """
    models.find(session, record.model_id)
    session.add(record)


def _loss_of(session: Session, trained: TrainedNetwork) -> Loss:
    job = _job_of(session, trained)
    return MSE() if job is None else recipe_of(job).loss


def _job_of(session: Session, trained: TrainedNetwork) -> JobRecord | None:
    """The job that made this version."""
    return None if trained.job is None else jobs.find(session, trained.job)


def trainings(session: Session, model: str) -> list[dict[str, Any]]:
    """How each version that a job has added was trained, newest first."""
    return [
        {
            "version": job.version,
            "job": job.id,
            "initial_loss": job.initial_loss,
            "final_loss": job.final_loss,
            "epochs": job.epochs_done,
            "recipe": job.recipe,
        }
        for job in jobs.succeeded(session, model)
    ]
