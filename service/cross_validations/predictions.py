"""Out-of-fold predictions: each row by the network that has not seen it."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from service.cross_validations import records
from service.cross_validations.folds import Pool, assigned_of, part_of
from service.cross_validations.records import CrossValidationRecord, Standing
from service.cross_validations.schemas import OutOfFold
from service.database.database import Database
from service.database.lookup import position_of
from service.datasets import records as datasets
from service.datasets.view import DatasetView
from service.errors import Conflict
from service.http import json_numbers
from service.http.json_numbers import Array
from service.jobs import records as jobs
from service.jobs.states import State
from service.jobs.training_data import columns_of_job
from service.learning import notation
from service.learning.network import Network
from service.models import parameter_bytes
from service.models import records as models
from service.models.left import records as left_parameters
from service.models.left.records import LastParametersRecord
from service.models.signature.class_answers import class_answers
from service.storage.storage import Storage


def page(
    database: Database, storage: Storage, id: str, limit: int, after: str | None
) -> tuple[list[OutOfFold], str | None]:
    """Return the predictions of some rows, in the order of the upload; the cursor is the number of rows before.

    Raises:
        NotFound: there is no such cross-validation, or its dataset is gone.
        Conflict: not all of its folds have succeeded.
        Invalid: the cursor is none of this list.
    """
    with database.reading() as session:
        record = records.find(session, id)
        standings = records.standings(session, id)
        if any(each.state != State.SUCCEEDED for each in standings):
            detail = "Not every fold has succeeded: there are predictions once all have."
            raise Conflict(detail, "cross_validation_not_ended")
        view = _view(session, storage, record, standings[0])
        networks = [left_parameters.find(session, each.fold.job_id) for each in standings]
    pool = Pool(view)
    start = position_of(after, pool.rows)
    places = pool.at(np.arange(start, min(start + limit, pool.rows)))
    folds = assigned_of(view, pool, record.folds, record.seed)[start : start + limit]
    predicted: dict[int, OutOfFold] = {}
    for number in np.unique(folds).tolist():
        chosen = np.flatnonzero(folds == number)
        rows = _predicted(view, networks[number], places[chosen], number)
        predicted.update(zip(chosen.tolist(), rows, strict=True))
    following = start + len(places)
    return [predicted[each] for each in range(len(places))], str(following) if following < pool.rows else None


def _view(session: Session, storage: Storage, record: CrossValidationRecord, standing: Standing) -> DatasetView:
    dataset = datasets.find(session, record.dataset_id)
    session.refresh(dataset, ["statistics"])
    job = jobs.find(session, standing.fold.job_id)
    version = models.version(session, record.model_id, job.recipe.from_version, parameters=False)
    columns = columns_of_job(dataset, job.recipe, version.signature)
    return DatasetView(storage, columns, models.find(session, record.model_id).dtype)


def _predicted(view: DatasetView, left: LastParametersRecord | None, places: Array, fold: int) -> Sequence[OutOfFold]:
    assert left is not None, "a fold that succeeded has left its parameters"
    network = Network(notation.read(left.architecture), left.dtype)
    outputs = network.predict(parameter_bytes.from_bytes(left.parameters), part_of(view, places).inputs)
    classes = class_answers(left.signature, outputs)
    return [
        OutOfFold(
            row=int(number),
            fold=fold,
            outputs=[json_numbers.finite(value) for value in row],
            labels={each.target: each.labels[place] for each in classes},
        )
        for place, (number, row) in enumerate(zip(view.arrays.numbers[places].tolist(), outputs.tolist(), strict=True))
    ]
