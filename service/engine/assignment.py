"""A job as a training of the learning core, with the description of its result."""

import threading
from dataclasses import dataclass, replace

import numpy as np
import safetensors.numpy as safetensors
from sqlalchemy.orm import Session

from service.cross_validations.folds import fold_of, learnt_of, part_of
from service.cross_validations.records import CrossValidationRecord, FoldRecord, fold_of_job
from service.cross_validations.sums import can_be_kept, sums_of, unread_of
from service.datasets import records as datasets
from service.datasets.view import DatasetView
from service.engine.workspace import Workspace
from service.errors import invalid
from service.http.json_numbers import Array
from service.jobs import receipts, records
from service.jobs.log import records as log_of_jobs
from service.jobs.receipts import Receipt
from service.jobs.recent import Recent
from service.jobs.recipe import JobRecipe
from service.jobs.records import JobRecord
from service.jobs.training_data import columns_of_job, view_of_job
from service.learning.network import Network
from service.learning.rows.part import Part
from service.learning.training.changes import Change
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.refit import training_of
from service.learning.training.training import Training
from service.models import parameter_bytes
from service.models import records as models
from service.models.signature.from_data import signature_of
from service.models.signature.signature import Signature
from service.models.trained_network import network_of

MOST_BYTES = 1 << 20
"""Bytes of one kind of job that a worker keeps for the next one."""
MOST_KEPT = 8
"""Kinds of jobs that it keeps them for."""
WIDEST = 8
"""Bytes of a number."""
COLUMN = 500
"""Numbers whose bytes the description of a column takes."""


@dataclass(frozen=True)
class Assignment:
    """A training, and the description of its result."""

    network: Network
    view: DatasetView
    training: Training
    signature: Signature
    receipt: Receipt
    """The receipt, without the result."""


def prepare(workspace: Workspace, record: JobRecord) -> Assignment:
    """Return the training by its recipe, or as the checkpoint left it."""
    given, begins = replace(record.recipe, path=record.plan.path), record.attempt == 1
    is_alone = record.cross_validation is not None or record.verifies is not None  # which looks at everything anew
    key = None if is_alone else (workspace.database.url, record.model_id, record.dataset_id, repr(given))
    shared = None if key is None else _kept.materials.find(key)
    if shared is None:
        shared = _material(workspace, record, given)
        if key is not None and shared.bytes <= MOST_BYTES:
            _kept.materials.keep(key, shared)
    saved, changes = None, []
    if not begins or record.verifies is not None:
        with workspace.database.reading() as session:
            saved, changes = None if begins else records.checkpoint(session, record.id), _changes(session, record)
    training = training_of(shared.problem, shared.start, fresh=shared.fresh, changes=changes)
    if saved is not None:
        training.restore(safetensors.load(saved))
    return Assignment(shared.problem.network, shared.view, training, shared.signature, shared.receipt)


@dataclass(frozen=True)
class Material:
    """All of an assignment that is the same for each job of one recipe, model and dataset."""

    problem: Problem
    start: Array
    fresh: bool
    """Whether the training begins from parameters that were drawn by a seed."""
    view: DatasetView
    signature: Signature
    receipt: Receipt

    @property
    def bytes(self) -> int:
        """The most bytes that rows, columns and parameters take."""
        dataset = self.view.dataset
        return (dataset.rows + COLUMN) * (dataset.inputs + dataset.outputs + 1) * WIDEST + self.start.nbytes


class _Kept(threading.local):
    """The materials that this thread used last, of tiny jobs: to read them anew takes longer than the training.

    Rows, models and versions never change, and one job's training changes nothing of them.
    """

    def __init__(self) -> None:
        self.materials: Recent[tuple[str, ...], Material] = Recent(MOST_KEPT)


_kept = _Kept()


def _material(workspace: Workspace, record: JobRecord, given: JobRecipe) -> Material:
    recipe = given.to_learning()
    with workspace.database.reading() as session:
        dataset = datasets.find(session, record.dataset_id, whole=True)
        model = models.find(session, record.model_id)
        version = models.version(session, model.id, given.from_version)
        epoch = given.from_epoch
        begun = version if epoch is None else models.point(session, model.id, version.job_id, epoch)
        network = network_of(model)
        columns = columns_of_job(dataset, given, version.signature)
        fold = None if record.cross_validation is None else fold_of_job(session, record.id)
        signature = signature_of(columns, network, recipe.loss, version.signature)
        view = view_of_job(workspace.storage, columns, network.dtype, given)
    start = parameter_bytes.from_bytes(begun.parameters)
    problem = _problem(network, view, fold, recipe)
    check_weights(problem.train, "are learnt")
    if problem.validation is not None:
        check_weights(problem.validation, "are held out")
    receipt = receipts.begin(given, dataset.content_hash, start)
    return Material(problem, start, model.seeded and version.number == 0, view, signature, receipt)


def check_weights(part: Part, what: str) -> None:
    """Check that some row of a part counts: without any its loss is no number. A draw may have left it none.

    Raises:
        Invalid: all weigh nothing.
    """
    if part.weights is not None and not part.weights[:].any():
        by = "by sample_weights or class_weight"
        detail = f"All rows that {what} have the weight 0 {by}: send another seed, or let more rows count."
        raise invalid("#/sample_weights", detail, "impossible_weights")


def _changes(session: Session, record: JobRecord) -> list[Change]:
    """Return the changes that the training has made, or those of the job that it repeats."""
    return log_of_jobs.changes(session, record.verifies or record.id)


def _problem(
    network: Network, view: DatasetView, fold: tuple[FoldRecord, CrossValidationRecord] | None, recipe: Recipe
) -> Problem:
    """Return the rows to learn from and those to watch: the dataset's parts, or those of a fold."""
    if fold is None:
        validation = view.part("validation") if view.count("validation") else None
        whole = replace(view, drawn=None).part("train", sums=False) if recipe.refit else None
        return Problem(network, view.part("train"), validation, recipe, whole)
    stopping = recipe.early_stopping
    watches = stopping is not None and stopping.monitor == "validation_loss"
    recipe = replace(recipe, refit=recipe.refit and watches)
    if recipe.path == "quadratic" and not watches and can_be_kept(view, fold[1].folds):
        sums = sums_of(view, fold[1].id, fold[1].folds, fold[1].seed)
        return Problem(network, unread_of(view, sums, fold[0].number), None, recipe)
    rows = fold_of(view, fold[0].number, fold[1].folds, fold[1].seed, watches=watches)
    watched = part_of(view, rows.watched) if len(rows.watched) else None
    whole = learnt_of(view, np.sort(np.concatenate([rows.train, rows.watched]))) if recipe.refit else None
    return Problem(network, learnt_of(view, rows.train), watched, recipe, whole)
