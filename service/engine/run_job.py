"""One job's story, from a message to its end. Runs in a worker process."""

from typing import Any

import safetensors.numpy as safetensors
from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.datasets.records import DatasetRecord
from service.datasets.storage import Storage
from service.engine.ledger import Ledger
from service.engine.workspace import Workspace, workspace_of_worker
from service.errors import DescentError
from service.jobs import operations, queue, records
from service.jobs.records import JobRecord
from service.jobs.states import MAX_LOSSES_OF_WORKER, Asked, EndedBy, State
from service.learning.training import Diverged, Part, Training
from service.models import parameters
from service.models import records as models
from service.models.networks import network_of


def run_job(job: str, message: str) -> None:
    """Claim the job, train, and write its end; does nothing where somebody else has it."""
    work_on(workspace_of_worker(), job, message)


def work_on(workspace: Workspace, job: str, message: str) -> None:
    """The same, given the workspace."""
    with workspace.database.transaction() as session:
        attempt = queue.claim(session, job, message)
        if attempt is None:
            return
        record = records.find(session, job)
        if record.losses_of_worker >= MAX_LOSSES_OF_WORKER:
            queue.fail_for_losses(record)
            return
        last_epoch = records.last_epoch(session, job)
    try:
        training = _prepare(workspace, record)
    except DescentError as error:
        _fail(workspace, job, attempt, error.code, error.detail, None)
        return
    with Ledger(workspace.beats, job, attempt, training, last_epoch) as ledger:
        _train(workspace, ledger, training)


def _prepare(workspace: Workspace, record: JobRecord) -> Training:
    """The training as the recipe says, or as the checkpoint left it."""
    with workspace.database.reading() as session:
        dataset = datasets.find(session, record.dataset_id)
        model = models.find(session, record.model_id)
        start = models.version(session, model.id, record.recipe["from_version"])
        saved = records.checkpoint(session, record.id)
    network = network_of(model)
    train, validation = _parts(workspace.storage, dataset, network.dtype)
    recipe = operations.recipe_of(record)
    training = Training(network, parameters.from_bytes(start.parameters), train, validation, recipe)
    if saved is not None:
        training.restore(safetensors.load(saved))
    return training


def _parts(storage: Storage, dataset: DatasetRecord, dtype: Any) -> tuple[Part, Part | None]:
    arrays = storage.open(dataset.id)

    def part(name: str) -> Part:
        rows = dataset.slice_of(name)
        # where the dtypes agree, as they do by default, these stay memory maps
        return Part(arrays.inputs[rows].astype(dtype, copy=False), arrays.targets[rows].astype(dtype, copy=False))

    return part("train"), part("validation") if dataset.validation_rows else None


def _train(workspace: Workspace, ledger: Ledger, training: Training) -> None:
    try:
        for event in training.run():
            ledger.note(event)
            if ledger.lost:
                return
            if ledger.asked == Asked.CANCEL:
                _give_up(workspace, ledger, training, State.CANCELLED)
                return
    except Diverged as error:
        failure = {"code": "diverged", "detail": error.detail, "epoch": error.epoch}
        _give_up(workspace, ledger, training, State.FAILED, error=failure)
    except MemoryError:
        detail = "The worker has not enough memory for this model and batch size."
        failure = {"code": "out_of_memory", "detail": detail, "epoch": training.epochs_done}
        _give_up(workspace, ledger, training, State.FAILED, error=failure)
    else:
        _succeed(workspace, ledger, training)


def _succeed(workspace: Workspace, ledger: Ledger, training: Training) -> None:
    """The end is one transaction: last reports, the new version, the state."""
    final_loss, vector = training.final_loss(), parameters.to_bytes(training.result())
    ledger.close()
    with workspace.database.transaction() as session:
        if not ledger.flush(session):
            return
        record = records.find(session, ledger.job)
        version = models.add_version(session, record.model_id, vector, job=record.id)
        assert version is not None, "a job that has not ended holds its model"
        _end(session, ledger, State.SUCCEEDED, final_loss=final_loss, version=version, ended_by=EndedBy.EPOCHS)


def _give_up(workspace: Workspace, ledger: Ledger, training: Training, state: State, **values: Any) -> None:
    """End without a version, but keep the last finite parameters."""
    vector = parameters.to_bytes(training.parameters)
    ledger.close()
    with workspace.database.transaction() as session:
        if not ledger.flush(session):
            return
        record = records.find(session, ledger.job)
        model = models.find(session, record.model_id)
        records.keep_last_parameters(session, record.id, model.architecture, model.dtype, vector)
        _end(session, ledger, state, **values)


def _end(session: Session, ledger: Ledger, state: State, **values: Any) -> None:
    queue.write(session, ledger.job, ledger.attempt, **queue.end(state, **values))
    records.delete_checkpoint(session, ledger.job)


def _fail(workspace: Workspace, job: str, attempt: int, code: str, detail: str, epoch: int | None) -> None:
    error = {"code": code, "detail": detail, "epoch": epoch}
    with workspace.database.transaction() as session:
        queue.write(session, job, attempt, **queue.end(State.FAILED, error=error))
        records.delete_checkpoint(session, job)
