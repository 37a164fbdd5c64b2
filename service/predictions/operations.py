"""The rules of predictions and evaluations."""

from typing import Any

from sqlalchemy.orm import Session

from service import numbers
from service.database.columns import new_id, now
from service.database.engine import Database
from service.datasets import records as datasets
from service.datasets.records import DatasetRecord
from service.datasets.storage import Storage
from service.errors import NotFound, invalid
from service.jobs import records as jobs
from service.jobs.operations import check_widths, recipe_of, reference_at
from service.learning import metrics
from service.learning.losses import MSE, Loss
from service.models import records as models
from service.models.networks import Networks, TrainedNetwork
from service.numbers import Array
from service.predictions.records import EvaluationRecord
from service.predictions.schemas import NewEvaluation, NewPrediction
from service.wire import PartName


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
        dataset = _dataset(session, trained, new.dataset) if new.dataset else None
    if dataset is not None:
        inputs, pointer = _rows_of(storage, dataset, new.part, trained)[0], "#/part"
    else:
        pointer = "#/inputs"
        inputs = numbers.matrix(new.inputs, trained.network.inputs, trained.network.dtype, pointer)
    outputs = trained.predict(inputs)
    row = numbers.first_overflow(outputs)
    if row is not None:
        where = f"{pointer}/{row}" if dataset is None else pointer
        raise invalid(where, f"The output of row {row} is too large for {trained.network.dtype}.", "overflow")
    return trained, outputs


def _dataset(session: Session, trained: TrainedNetwork, reference: str) -> DatasetRecord:
    with reference_at("#/dataset"):
        dataset = datasets.find(session, reference)
    check_widths(trained.network, dataset, "#/dataset")
    return dataset


def _rows_of(storage: Storage, dataset: DatasetRecord, part: PartName, trained: TrainedNetwork) -> tuple[Array, Array]:
    """Inputs and targets of a part, in the network's dtype: a training reads them so, too."""
    rows = dataset.slice_of(part)
    if rows.start == rows.stop:
        raise invalid("#/part", f"The {part} part of dataset {dataset.name!r} has no rows.", "empty_part")
    arrays = storage.open(dataset.id)
    dtype = trained.network.dtype
    return arrays.inputs[rows].astype(dtype, copy=False), arrays.targets[rows].astype(dtype, copy=False)


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
        dataset = _dataset(session, trained, new.dataset)
        loss = new.loss.term() if new.loss is not None else _loss_of(session, trained)
    inputs, targets = _rows_of(storage, dataset, new.part, trained)
    return EvaluationRecord(
        id=new_id("ev"),
        model_id=trained.model,
        version=trained.version,
        dataset_id=dataset.id,
        part=new.part,
        loss=numbers.finite(trained.network.loss(trained.vector, inputs, targets, loss)),
        metrics={
            name: numbers.finite(value) for name, value in metrics.regression(trained.predict(inputs), targets).items()
        },
        rows=len(inputs),
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
    if trained.job is None:
        return MSE()
    try:
        return recipe_of(jobs.find(session, trained.job)).loss
    except NotFound:
        return MSE()


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
