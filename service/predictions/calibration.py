"""The errors of a version on rows that it was not trained on: the validation part of its job."""

import math
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets.arrangement import rows_of
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.errors import Invalid, invalid
from service.jobs.records import JobRecord
from service.jobs.training_data import columns_of_job
from service.learning.arrays import Array
from service.learning.evaluation import conformal
from service.learning.evaluation.conformal import Quantiles, rank, rows_needed
from service.learning.rows.one_hot import unexpanded
from service.models.records import ModelRecord, VersionRecord
from service.models.signature.scored import scored
from service.models.trained_network import TrainedNetwork
from service.storage.storage import Storage

MOST_ROWS = 100_000
"""Rows whose scores are compared; of more, that many are taken, evenly spread."""
FEWEST_ROWS = 1000
"""Rows that are taken however large a network is."""
MOST_SCORES = 10_000_000
MOST_PRODUCTS = 20_000_000_000
"""Multiplications of a pass over the rows, some seconds' worth."""
BLOCK_BYTES = 1 << 24
"""Bytes of inputs and outputs that are held at once."""
MOST_LEVELS = 16
"""Levels whose quantiles are kept with a version."""
MOST_GENERATIONS = 100
"""Trainings before its own of which it is asked whether they have used a version's calibration rows."""


class _Source(NamedTuple):
    """The rows that tell how far a version is off."""

    job: JobRecord
    view: DatasetView


def quantiles_of(
    database: Database, storage: Storage, trained: TrainedNetwork, level: float, pointer: str
) -> Quantiles:
    """Return the quantiles of a version's scores; kept with it in memory, as long as its job and dataset are there.

    Raises:
        Invalid: there are no rows to learn them from, or too few.
    """
    with database.reading() as session:
        source = _source(session, storage, trained, pointer)
        kept = trained.quantiles.get(level)
        if kept is not None:
            return kept
        reused = _has_used_validation(session, source.job)
    rows = source.view.count("validation")
    most = _most_rows(trained, source.view)
    taken = min(rows, most)
    if rank(taken, level) > taken:
        raise _too_few(rows, most, level, pointer)
    found = Quantiles(conformal.quantiles(_scores(trained, source.view, taken), level), taken, reused)
    if len(trained.quantiles) >= MOST_LEVELS:
        trained.quantiles.clear()
    trained.quantiles[level] = found
    return found


def _source(session: Session, storage: Storage, trained: TrainedNetwork, pointer: str) -> _Source:
    job = None if trained.job is None else session.get(JobRecord, trained.job)
    dataset = None if job is None else session.get(DatasetRecord, job.dataset_id)
    if job is None or trained.signature is None:
        missing = "no training whose validation part would tell how far it is off"
    elif dataset is None:
        missing = "lost the dataset that it was trained on, whose validation part told how far it is off"
    else:
        columns = columns_of_job(dataset, job.recipe, trained.signature)
        view = DatasetView(storage, columns, trained.network.dtype, drawn=job.recipe.validation)
        if view.count("validation"):
            return _Source(job, view)
        missing = "a training without a validation part, which would tell how far it is off"
    remedy = (
        'train on a dataset with a validation part, {"split": {"validation": {"fraction": 0.2}}}, '
        'or with "validation": {"fraction": 0.2} in the job'
    )
    raise invalid(pointer, f"Version {trained.version} has {missing}: {remedy}.", "no_calibration")


def _most_rows(trained: TrainedNetwork, view: DatasetView) -> int:
    affordable = min(MOST_SCORES // len(view.columns.targets), MOST_PRODUCTS // max(1, trained.vector.size))
    return min(MOST_ROWS, max(FEWEST_ROWS, affordable))


def _too_few(rows: int, most: int, level: float, pointer: str) -> Invalid:
    needed, taken = rows_needed(level), min(rows, most)
    of = f"{rows}" if taken == rows else f"{rows}, of which {taken} are taken"
    more = f", or train with at least {needed} validation rows" if needed <= most else ""
    digits = 10 ** (1 + len(str(taken)))
    lower = math.floor(taken * digits / (taken + 1)) / digits
    detail = f"A level of {level} needs {needed} calibration rows, and this version has {of}"
    return invalid(pointer, f"{detail}: ask for a level of {lower}{more}.", "too_few_calibration_rows")


def _scores(trained: TrainedNetwork, view: DatasetView, taken: int) -> Array:
    """Return the scores (rows × quantiles) of rows of the validation part, evenly spread."""
    rows, columns = view.count("validation"), view.columns
    inputs, targets = view.first_rows("validation", rows)
    places = np.linspace(0, rows - 1, taken).astype(np.intp)
    at_once = max(1, BLOCK_BYTES // (8 * (trained.network.inputs + trained.network.outputs)))
    assert trained.signature is not None
    of, link, found = scored(columns.target_columns), trained.signature.link, []
    for start in range(0, taken, at_once):
        block = places[start : start + at_once]
        outputs = trained.predict(rows_of(inputs[block], columns.features, view.dtype))
        truth = unexpanded(rows_of(targets[block], columns.targets, view.dtype))[: len(block)]
        found.append(conformal.scores(outputs, truth, of, link))
    return np.concatenate(found)


def _has_used_validation(session: Session, job: JobRecord) -> bool:
    """Whether the validation rows of a job decided something about its version, or about one that it went on from."""
    begun: JobRecord | None = job
    for _ in range(MOST_GENERATIONS):
        if begun is None:  # an earlier training is not known any more
            return True
        has_seen = begun.recipe.validation != job.recipe.validation
        if begun.dataset_id == job.dataset_id and (has_seen or _has_chosen(begun)):
            return True
        before = begun.model_id, begun.recipe.from_version
        version = session.get(VersionRecord, before)
        if version is not None and version.job_id is None:
            model = session.get(ModelRecord, begun.model_id)
            return model is None or not (model.seeded and version.number == 0)
        begun = None if version is None or version.job_id is None else session.get(JobRecord, version.job_id)
    return True


def _has_chosen(job: JobRecord) -> bool:
    """Whether a training chose by the validation loss: its best epoch, its end, its rates, or itself among others."""
    recipe = job.recipe.to_learning()
    follows = recipe.schedule is not None and recipe.schedule.follows_losses
    by_validation = recipe.early_stopping is None or recipe.early_stopping.monitor == "validation_loss"
    chooses = by_validation and (recipe.keeps_best or recipe.backoff is not None)
    return job.sweep is not None or follows or chooses
