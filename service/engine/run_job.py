"""One job's story, from a message to its end. Runs in a worker process."""

import logging
from typing import Any

import safetensors.numpy as safetensors
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.engine.ledger import Ledger
from service.engine.workspace import Place, Workspace, workspace_at
from service.errors import DescentError
from service.jobs import operations, queue, records
from service.jobs.parts import View
from service.jobs.records import JobRecord
from service.jobs.states import MAX_LOSSES_OF_WORKER, Asked, State
from service.learning.advice import help_for_diverged
from service.learning.recipe import Diverged
from service.learning.training import Training
from service.models import parameters
from service.models import records as models
from service.models.networks import network_of

log = logging.getLogger(__name__)


def run_job(job: str, message: str, place: Place) -> None:
    """Claim the job, train, and write its end; does nothing where somebody else has it."""
    work_on(workspace_at(place), job, message)


def work_on(workspace: Workspace, job: str, message: str) -> None:
    """The same, given the workspace."""
    with workspace.database.transaction() as session:
        attempt = queue.claim(session, job, message)
        if attempt is None:
            return
        record = records.find(session, job)
        if record.asked == Asked.CANCEL:
            queue.end(session, record, State.CANCELLED)
            return
        if record.losses_of_worker >= MAX_LOSSES_OF_WORKER:
            queue.fail_for_losses(session, record)
            return
        last_epoch = records.last_epoch(session, job)
    with Ledger(workspace.beats, record, attempt, last_epoch) as ledger:
        _train(workspace, ledger, record)


def _prepare(workspace: Workspace, record: JobRecord) -> Training:
    """The training as the recipe says, or as the checkpoint left it."""
    with workspace.database.reading() as session:
        dataset = datasets.find(session, record.dataset_id)
        model = models.find(session, record.model_id)
        start = models.version(session, model.id, record.recipe["from_version"])
        saved = records.checkpoint(session, record.id)
    network = network_of(model)
    view = View(workspace.storage, dataset, network.dtype, record.recipe["sample_weights"])
    training = Training(
        network,
        parameters.from_bytes(start.parameters),
        view.part("train"),
        view.part("validation") if dataset.validation_rows else None,
        operations.recipe_of(record),
        fresh=model.seeded and start.number == 0,
    )
    if saved is not None:
        training.restore(safetensors.load(saved))
    return training


def _train(workspace: Workspace, ledger: Ledger, record: JobRecord) -> None:
    training = None
    try:
        training = _prepare(workspace, record)
        ledger.watch(training)
        for event in training.run():
            ledger.note(event)
            if ledger.lost:
                return
            if ledger.asked == Asked.CANCEL:
                _give_up(workspace, ledger, training, State.CANCELLED)
                return
        _succeed(workspace, ledger, training)
    except SQLAlchemyError:
        raise  # the database cannot be reached: nothing can be written, and the lease calls the job back
    except Exception as error:  # noqa: BLE001 - whatever it is, it would come again with every worker
        _give_up(workspace, ledger, training, State.FAILED, error=_failure(error, record))


def _succeed(workspace: Workspace, ledger: Ledger, training: Training) -> None:
    """The end is one transaction: last reports, the new version, the state."""
    final_loss, vector = training.final_loss(), parameters.to_bytes(training.result())
    ledger.close()
    with workspace.database.transaction() as session:
        if not ledger.flush(session):
            return
        record = records.find(session, ledger.job, lock=True)
        if record.asked == Asked.CANCEL:  # since the last beat
            _leave(session, record, vector, State.CANCELLED)
            return
        version = models.add_version(session, record.model_id, vector, job=record.id)
        assert version is not None, "a job that has not ended holds its model"
        values = {"final_loss": final_loss, "version": version, "ended_by": training.ended_by}
        queue.end(session, record, State.SUCCEEDED, **values)


def _give_up(workspace: Workspace, ledger: Ledger, training: Training | None, state: State, **values: Any) -> None:
    """End without a version, but keep the last finite parameters where training had begun."""
    vector = None if training is None else parameters.to_bytes(training.parameters)
    ledger.close()
    with workspace.database.transaction() as session:
        if not ledger.flush(session):
            return
        _leave(session, records.find(session, ledger.job), vector, state, **values)


def _leave(session: Session, record: JobRecord, vector: bytes | None, state: State, **values: Any) -> None:
    if vector is not None:
        model = models.find(session, record.model_id)
        records.keep_last_parameters(session, record.id, model.architecture, model.dtype, vector)
    queue.end(session, record, state, **values)


def _failure(error: Exception, record: JobRecord) -> dict[str, Any]:
    """What a client reads about why a job failed."""
    epoch, plan = None, record.plan
    match error:
        case Diverged():
            largest, best = (rate and rate["value"] for rate in (plan["largest_stable_rate"], plan["best_rate"]))
            code, epoch = "diverged", error.epoch
            what_helps = help_for_diverged(operations.recipe_of(record), largest, best)
            detail = f"{error.detail[:1].upper()}{error.detail[1:]}. {what_helps}"
        case DescentError():
            code, detail = error.code, error.detail
        case MemoryError():
            code, detail = "out_of_memory", "The worker has not enough memory for this model and batch size."
        case _:
            log.error("a job broke off", exc_info=error)
            code = "internal_error"
            detail = f"The training broke off: {type(error).__name__}. The log of the worker says more."
    return {"code": code, "detail": detail, "epoch": epoch}
