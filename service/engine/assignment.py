"""A job as a training of the learning core, with the description of its result."""

from dataclasses import dataclass, replace

import safetensors.numpy as safetensors
from sqlalchemy.orm import Session

from service.cross_validations.folds import fold_of, learnt_of, part_of
from service.cross_validations.records import CrossValidationRecord, FoldRecord, fold_of_job
from service.cross_validations.sums import can_be_kept, sums_of, unread_of
from service.datasets import records as datasets
from service.datasets.view import DatasetView
from service.engine.workspace import Workspace
from service.errors import invalid
from service.jobs import receipts, records
from service.jobs.log import records as log_of_jobs
from service.jobs.receipts import Receipt
from service.jobs.records import JobRecord
from service.jobs.training_data import columns_of_job, view_of_job
from service.learning.network import Network
from service.learning.rows.part import Part
from service.learning.training.changes import Change
from service.learning.training.problem import Problem
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from service.models import parameter_bytes
from service.models import records as models
from service.models.signature.from_data import signature_of
from service.models.signature.signature import Signature
from service.models.trained_network import network_of


@dataclass(frozen=True)
class Assignment:
    """A training, and the description of its result."""

    network: Network
    view: DatasetView
    problem: Problem
    training: Training
    signature: Signature
    receipt: Receipt
    """The receipt, without the result."""


def prepare(workspace: Workspace, record: JobRecord) -> Assignment:
    """Return the training by its recipe, or as the checkpoint left it."""
    given = replace(record.recipe, path=record.plan.path)
    recipe = given.to_learning()
    with workspace.database.reading() as session:
        dataset = datasets.find(session, record.dataset_id, whole=True)
        model = models.find(session, record.model_id)
        version = models.version(session, model.id, given.from_version)
        epoch = given.from_epoch
        kept = version if epoch is None else models.point(session, model.id, version.job_id, epoch)
        begins = record.attempt == 1
        saved = None if begins else records.checkpoint(session, record.id)
        changes = [] if begins and record.verifies is None else _changes(session, record)
        network = network_of(model)
        columns = columns_of_job(dataset, given, version.signature)
        fold = None if record.cross_validation is None else fold_of_job(session, record.id)
        signature = signature_of(columns, network, recipe.loss, version.signature)
        view = view_of_job(workspace.storage, columns, network.dtype, given)
    start = parameter_bytes.from_bytes(kept.parameters)
    train, validation = _parts(view, fold, recipe)
    check_weights(train, "are learnt")
    if validation is not None:
        check_weights(validation, "are held out")
    problem = Problem(network, train, validation, recipe)
    training = Training(problem, start, fresh=model.seeded and version.number == 0, changes=changes)
    if saved is not None:
        training.restore(safetensors.load(saved))
    return Assignment(network, view, problem, training, signature, receipts.begin(given, dataset.content_hash, start))


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


def _parts(
    view: DatasetView, fold: tuple[FoldRecord, CrossValidationRecord] | None, recipe: Recipe
) -> tuple[Part, Part | None]:
    """Return the rows to learn from and those to watch: the dataset's parts, or those of a fold."""
    if fold is None:
        return view.part("train"), view.part("validation") if view.count("validation") else None
    stopping = recipe.early_stopping
    watches = stopping is not None and stopping.monitor == "validation_loss"
    if recipe.path == "quadratic" and not watches and can_be_kept(view, fold[1].folds):
        return unread_of(view, sums_of(view, fold[1].id, fold[1].folds, fold[1].seed), fold[0].number), None
    rows = fold_of(view, fold[0].number, fold[1].folds, fold[1].seed, watches=watches)
    return learnt_of(view, rows.train), part_of(view, rows.watched) if len(rows.watched) else None
