"""The rows that tell how far a version is off: those that its training has not learnt from."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets.arrangement import Arrangement, rows_of
from service.datasets.records import DatasetRecord
from service.datasets.view import DatasetView
from service.http.json_numbers import Array
from service.jobs.records import JobRecord
from service.jobs.training_data import chosen_parameters, columns_of_job
from service.learning.rows.one_hot import unexpanded
from service.models.records import ModelRecord, VersionRecord
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
MOST_GENERATIONS = 100
"""Trainings before its own of which it is asked whether they have used a version's validation rows."""


class Source(NamedTuple):
    """The training of a version, and the part of its dataset whose rows tell how far it is off."""

    job: JobRecord
    view: DatasetView
    part: str
    chosen: TrainedNetwork | None = None
    """The network that validation rows chose, where the version itself has learnt these rows after that (`refit`)."""

    def judged(self, trained: TrainedNetwork, part: str) -> TrainedNetwork:
        """Return the network whose outputs on the rows of a part are like those of `trained` on unseen rows."""
        return trained if self.chosen is None or part != "validation" else self.chosen

    @property
    def rows(self) -> int:
        return self.view.count(self.part)

    @property
    def targets(self) -> int:
        return len(self.view.columns.targets)


class NoSource(NamedTuple):
    """The lack of such rows."""

    reason: str


def training_of(session: Session, trained: TrainedNetwork) -> tuple[JobRecord, Arrangement] | None:
    """Return the job of a version, and the columns of its dataset; None where it has no job or this has lost it."""
    job = None if trained.job is None else session.get(JobRecord, trained.job)
    dataset = None if job is None else session.get(DatasetRecord, job.dataset_id)
    if job is None or dataset is None or trained.signature is None:
        return None
    return job, columns_of_job(dataset, job.recipe, trained.signature)


def source_of(session: Session, storage: Storage, trained: TrainedNetwork) -> Source | NoSource:
    """Return the calibration part, or where there is none the validation part, of a version's training."""
    training = training_of(session, trained)
    if training is None and trained.signature is not None:
        return NoSource("lost the training, or its dataset, a part of which told how far it is off")
    if training is None:
        return NoSource("no training whose calibration or validation part would tell how far it is off")
    job, columns = training
    view = DatasetView(storage, columns, trained.network.dtype, drawn=job.recipe.validation)
    vector = chosen_parameters(session, job)
    chosen = None if vector is None else replace(trained, vector=vector, epoch=job.best_epoch)
    if job.recipe.refit and chosen is None:
        view = replace(view, drawn=None)
    for part in ("calibration", "validation"):
        if view.count(part):
            return Source(job, view, part, chosen)
    if job.recipe.refit:
        return NoSource("learnt its validation rows too, after the epoch that they chose, which is kept no longer")
    return NoSource("a training without a calibration or validation part, which would tell how far it is off")


def is_there(database: Database, trained: TrainedNetwork) -> bool:
    """Whether the job of a version, and the dataset of that job, are still there; microseconds on SQLite."""
    if trained.job is None:
        return False
    return database.look_up(_JOB_WITH_DATASET, {"job": trained.job}) is not None


_JOB_WITH_DATASET = "SELECT 1 FROM jobs JOIN datasets ON datasets.id = jobs.dataset_id WHERE jobs.id = :job"


def most_rows(trained: TrainedNetwork, targets: int) -> int:
    """Return how many rows are taken at most, where each has so many targets."""
    affordable = min(MOST_SCORES // targets, MOST_PRODUCTS // max(1, trained.vector.size - trained.idle_weights))
    return min(MOST_ROWS, max(FEWEST_ROWS, affordable))


def outputs_and_truth(
    trained: TrainedNetwork, view: DatasetView, part: str, taken: int
) -> Iterator[tuple[Array, Array]]:
    """Yield outputs and true targets of rows of a part, evenly spread, a block at a time."""
    rows, columns = view.count(part), view.columns
    inputs, targets = view.first_rows(part, rows)
    places = np.linspace(0, rows - 1, taken).astype(np.intp)
    at_once = max(1, BLOCK_BYTES // (8 * (trained.network.inputs + trained.network.outputs)))
    for start in range(0, taken, at_once):
        block = places[start : start + at_once]
        outputs = trained.predict(rows_of(inputs[block], columns.features, view.dtype))
        yield outputs, unexpanded(rows_of(targets[block], columns.targets, view.dtype))[: len(block)]


def has_been_used(session: Session, source: Source) -> bool:
    """Whether the rows decided something about a version, or about one that it went on from. A calibration part decides
    nothing.
    """
    job = source.job
    begun: JobRecord | None = job
    if source.part == "calibration":
        return False
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
