"""The rules of evaluations, and the history of a model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.lookup import position_of
from service.database.record import now
from service.datasets.view import DatasetView
from service.errors import invalid
from service.evaluations.importance import Permutations, importance_of
from service.evaluations.records import EvaluationRecord, Residual
from service.evaluations.schemas import NewEvaluation
from service.evaluations.sureness import Watched
from service.http import json_numbers
from service.http.json_numbers import JsonObject
from service.ids import new_id
from service.jobs import records as jobs
from service.jobs.reports import reading
from service.jobs.training_data import loss_and_weights, view_of
from service.learning.evaluation import evaluation
from service.learning.evaluation.evaluation import Classes, Numbers
from service.learning.evaluation.worst_rows import WorstRow
from service.learning.losses import MSE, Loss
from service.models import records as models
from service.models.networks import Networks
from service.models.records import ModelRecord
from service.models.signature.from_data import link_of
from service.models.signature.scored import metrics_by_name, scored
from service.models.trained_network import TrainedNetwork
from service.pointers import reference_at
from service.storage.storage import Storage
from service.vocabulary.kinds import from_json

REPORTS_OF_CURVE = 200


def evaluate(
    database: Database, storage: Storage, networks: Networks, reference: str, new: NewEvaluation
) -> EvaluationRecord:
    """Evaluate a version on a part of a dataset; `keep` then keeps the result.

    Raises:
        NotFound: model, version, kept epoch or dataset.
        Conflict: the dataset is still loading.
        Invalid: the dataset does not fit, or the part is empty.
    """
    with database.reading() as session:
        trained = _trained(session, networks, reference, new)
        view = view_of(session, storage, trained, new.dataset, new.rename)
        loss = new.loss.to_learning() if new.loss is not None else _loss_of(session, trained)
    columns = view.columns.target_columns
    part, targets = view.part(new.part, sums=False), scored(columns)
    if view.columns.weights is not None and part.weights is not None and not part.weights.any():
        name = view.columns.weights.stored.name
        detail = f"All weights, those of column {name!r}, are 0 in the {new.part} part."
        raise invalid("#/part", detail, "impossible_weights")
    link = link_of(columns, trained.network, loss) if trained.signature is None else trained.signature.link
    watched = Watched(database, storage, trained, columns, link)
    network, vector = trained.network, trained.vector
    found = evaluation.evaluate(network, vector, part, loss, targets, link=link, worst=new.residuals, also=(watched,))
    permutations = new.permutations
    return EvaluationRecord(
        id=new_id("ev"),
        model_id=trained.model,
        version=trained.version,
        epoch=trained.epoch,
        dataset_id=view.dataset.id,
        part=new.part,
        loss=json_numbers.finite(found.loss),
        metrics=metrics_by_name(columns, found),
        residuals=_residuals(view, new.part, targets, found.worst) if new.residuals else None,
        rows=len(part),
        importance=None
        if permutations is None
        else importance_of(trained, view, new.part, part.weights, loss, Permutations(*permutations)),
        sureness=watched.result(),
        created_at=now(),
    )


def _residuals(
    view: DatasetView, part: str, targets: Sequence[Numbers | Classes], worst: Sequence[WorstRow]
) -> list[Residual]:
    rows_of_file = view.numbers(part)
    short = partial(_in_few_digits, np.dtype(view.dtype).type)
    return [
        {
            "row": int(rows_of_file[each.row]),
            "outputs": list(map(short, each.outputs)),
            "targets": list(_values(targets, each.targets, short)),
            "residual": short(each.residual),
        }
        for each in worst
    ]


def _in_few_digits(kind: Callable[[float], Any], value: float) -> float | None:
    """A number of this dtype with the fewest digits that identify it, where it is finite."""
    return json_numbers.finite(float(str(kind(value))))


def _values(
    targets: Sequence[Numbers | Classes], stored: Sequence[float], short: Callable[[float], float | None]
) -> Iterator[Any]:
    """The targets of a row as a client knows them: numbers, labels of classes."""
    values = iter(stored)
    for target in targets:
        if isinstance(target, Classes):
            yield target.names[int(next(values))]
        else:
            yield from map(short, islice(values, target.columns))


def _trained(session: Session, networks: Networks, reference: str, new: NewEvaluation) -> TrainedNetwork:
    models.find(session, reference)
    with reference_at("#/version"):
        trained = networks.get(session, reference, new.version)
    if new.epoch is None:
        return trained
    with reference_at("#/epoch"):
        return networks.get(session, trained.model, trained.version, new.epoch)


def _loss_of(session: Session, trained: TrainedNetwork) -> Loss:
    loss = loss_and_weights(session, trained).loss
    return MSE() if loss is None else from_json(Loss, loss)


def keep(session: Session, record: EvaluationRecord) -> None:
    """Add an evaluation.

    Raises:
        NotFound: its model or version was deleted meanwhile.
    """
    models.find(session, record.model_id, lock=True)  # so that the version stays until this is committed
    models.version(session, record.model_id, record.version, parameters=False)
    session.add(record)


def trainings(
    session: Session, model: ModelRecord, limit: int, after: str | None, parameter: str
) -> tuple[list[JsonObject], str | None]:
    """The trainings of a model's versions that jobs have added, newest first; the cursor is a version's number."""
    before = None if after is None else position_of(after, model.next_version, parameter=parameter)
    found = jobs.trainings(session, model.id, limit + 1, before)
    shown = [
        {
            "version": job.version,
            "job": job.id,
            "dataset": job.dataset_id,
            "initial_loss": job.initial_loss,
            "final_loss": job.final_loss,
            "epochs": job.epochs_done,
            "recipe": asdict(job.recipe),
            "curve": reading.thinned(session, job, 0, REPORTS_OF_CURVE),
            "receipt": job.receipt,
        }
        for job in found[:limit]
    ]
    return shown, str(shown[-1]["version"]) if len(found) > limit else None
