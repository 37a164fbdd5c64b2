"""One job's story, from its claim to its end. Runs in a worker process."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import safetensors.numpy as safetensors
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.datasets.view import DatasetView
from service.engine.ending import reason_of, write_end
from service.engine.judgement import Judgement, Overtaken, Served
from service.engine.ledger import Ledger
from service.engine.steering import steer
from service.engine.workspace import Workspace, limited_memory
from service.errors import Unavailable
from service.jobs import queue, receipts, records, verifications
from service.jobs.receipts import Outcome, Receipt
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.states import FIRST_GAP, LONGEST_GAP, Asked, State
from service.jobs.steering import records as log_of_jobs
from service.jobs.steering.records import Happening
from service.jobs.training_data import columns_of_job
from service.learning.network import Network
from service.learning.planning.advice import rounded_parameters
from service.learning.training.events import Diverged, EpochReport, Progress
from service.learning.training.problem import Problem
from service.learning.training.training import Training
from service.models import parameter_bytes
from service.models import records as models
from service.models.left import records as left_parameters
from service.models.signature.from_data import signature_of
from service.models.signature.signature import Signature
from service.models.trained_network import network_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A job that this worker has, and what is known of it."""

    record: JobRecord
    attempt: int
    last_epoch: int | None
    backoffs: int


def take(session: Session, job: str, message: str) -> Claim | None:
    """Claim a job for the worker that got `message`; None where another one has it, or it ends here."""
    attempt = queue.claim(session, job, message)
    if attempt is None:
        return None
    record = records.find(session, job)
    queue.settle(record)
    if record.asked == Asked.CANCEL:
        queue.end(session, record, State.CANCELLED)
        return None
    if record.losses_since_checkpoint >= record.max_attempts:
        queue.fail_for_losses(session, record)
        return None
    backoffs = log_of_jobs.count(session, job, Happening.BACKED_OFF)
    return Claim(record, attempt, reports.last_epoch(session, job), backoffs)


def train(workspace: Workspace, claim: Claim) -> None:
    """Train a claimed job, and write its end."""
    with Ledger(workspace.beats, claim.record, claim.attempt, claim.last_epoch, claim.backoffs) as ledger:
        _train(workspace, ledger, claim.record)


def work_on(workspace: Workspace, job: str, message: str) -> None:
    """Do all of this for one job."""
    with workspace.database.transaction() as session:
        claim = take(session, job, message)
    if claim is not None:
        train(workspace, claim)


@dataclass(frozen=True)
class Assignment:
    """A training, and the description of its result."""

    network: Network
    view: DatasetView
    training: Training
    signature: Signature
    receipt: Receipt
    """The receipt, without the result."""


def _prepare(workspace: Workspace, record: JobRecord) -> Assignment:
    """Return the training by its recipe, or as the checkpoint left it."""
    given = replace(record.recipe, path=record.plan.path)
    recipe = given.to_learning()
    with workspace.database.reading() as session:
        dataset = datasets.find(session, record.dataset_id)
        model = models.find(session, record.model_id)
        version = models.version(session, model.id, given.from_version)
        epoch = given.from_epoch
        kept = version if epoch is None else models.point(session, model.id, version.job_id, epoch)
        saved = records.checkpoint(session, record.id)
        changes = log_of_jobs.changes(session, record.verifies or record.id)
        network = network_of(model)
        columns = columns_of_job(dataset, given, version.signature)
        signature = signature_of(columns, network, recipe.loss, version.signature)
    start = parameter_bytes.from_bytes(kept.parameters)
    view = DatasetView(workspace.storage, columns, network.dtype)
    validation = view.part("validation") if dataset.validation_rows else None
    problem = Problem(network, view.part("train"), validation, recipe)
    training = Training(problem, start, fresh=model.seeded and version.number == 0, changes=changes)
    if saved is not None:
        training.restore(safetensors.load(saved))
    return Assignment(network, view, training, signature, receipts.begin(given, dataset.content_hash, start))


def _prepared(workspace: Workspace, ledger: Ledger, record: JobRecord) -> Assignment | None:
    """Return the training once its data is at hand; None where the claim is lost or a client cancels meanwhile.

    While the storage is out of reach, or has no room for a copy, the job rests: that is no fault of the job.
    """
    gap = FIRST_GAP
    while True:
        try:
            return _prepare(workspace, record)
        except Unavailable as error:
            log.warning("job %s rests: %s", ledger.job, error)
        if ledger.must_end_within(gap):
            return None
        gap = min(2 * gap, LONGEST_GAP)


def _train(workspace: Workspace, ledger: Ledger, record: JobRecord) -> None:
    assignment = None
    try:
        with limited_memory(workspace.memory):
            assignment = _prepared(workspace, ledger, record)
            if assignment is None:
                if not ledger.lost:
                    _leave_as_asked(workspace, ledger, None)
                return
            ledger.watch(assignment.training)
            if _follow(workspace, ledger, assignment, assignment.training.run()):
                _succeed(workspace, ledger, assignment, record)
    except SQLAlchemyError:
        raise  # the database cannot be reached: nothing can be written, and the lease calls the job back
    except Exception as error:  # noqa: BLE001 - whatever it is, it would come again with every worker
        outcome = None
        if assignment is not None and isinstance(error, Diverged):
            outcome = _verified(workspace, record, assignment.receipt)
        trained = None if assignment is None else (assignment.training, assignment.network)
        reason = reason_of(record.id, error, record.plan, trained, workspace.memory)
        _give_up(workspace, ledger, assignment, State.FAILED, error=reason, verification=outcome)


def _follow(
    workspace: Workspace, ledger: Ledger, assignment: Assignment, events: Iterable[EpochReport | Progress]
) -> bool:
    """Note the events to their end; False where the claim is lost or the job leaves this worker."""
    leaves = ledger.wished and steer(ledger, assignment.training)  # asked while no worker had the job
    for event in () if leaves else events:
        ledger.note(event)
        if workspace.together is not None:
            workspace.together.keep_up()
        if ledger.lost:
            return False
        leaves = ledger.wished and steer(ledger, assignment.training)
        if leaves:
            break
    if leaves:
        _leave_as_asked(workspace, ledger, assignment)
    return not leaves


def _succeed(workspace: Workspace, ledger: Ledger, assignment: Assignment, record: JobRecord) -> None:
    """Judge the result and write the end; once more where another version came to be served in between."""
    if record.verifies is not None:
        _write_success(workspace, ledger, assignment, record, None)
        return
    judgement = Judgement(assignment.training, record, assignment.view)
    while _follow(workspace, ledger, assignment, judgement.measure(workspace.database)):
        try:
            _write_success(workspace, ledger, assignment, record, judgement)
        except Overtaken:
            ledger.reopen()
        else:
            return


def _write_success(
    workspace: Workspace, ledger: Ledger, assignment: Assignment, record: JobRecord, judgement: Judgement | None
) -> None:
    """Write the end in one transaction: last reports, the new version, the state.

    Raises:
        Overtaken: the judgement does not know the version that is served.
    """
    training = assignment.training
    final_loss, result = training.final_loss(), training.result()
    receipt, vector = assignment.receipt.with_result(result), parameter_bytes.to_bytes(result)
    outcome = _verified(workspace, record, receipt)

    def end(session: Session) -> None:
        record = records.find(session, ledger.job, lock=True)
        if record.asked == Asked.CANCEL:  # since the last beat
            _leave(session, record, assignment, vector, State.CANCELLED)
            return
        if judgement is not None:
            _add_version(session, record, assignment, vector, judgement)
        values = {"final_loss": final_loss, "ended_by": training.ended_by, "receipt": receipt}
        queue.end(session, record, State.SUCCEEDED, verification=outcome, **values)

    ledger.close()
    write_end(workspace.database, ledger, end, workspace.together)


def _add_version(
    session: Session, record: JobRecord, assignment: Assignment, vector: bytes, judgement: Judgement
) -> None:
    """Add the version, and the advice that the job's end gives rise to."""
    served = Served.of(models.find(session, record.model_id, lock=True))
    kept = session, record.model_id, vector, record.id, assignment.signature
    number = models.add_version(*kept, serve=record.serve, refused=judgement.refuses(served))
    assert number is not None, "a job that has not ended holds its model"
    record.version = number
    record.advice = [*record.advice, *rounded_parameters(assignment.training), *judgement.advice(number, served)]


def _verified(workspace: Workspace, record: JobRecord, receipt: Receipt) -> Outcome | None:
    """Return the outcome of a job that trains another one again."""
    if record.verifies is None:
        return None
    with workspace.database.reading() as session:
        return verifications.outcome(session, record, receipt)


def _leave_as_asked(workspace: Workspace, ledger: Ledger, assignment: Assignment | None) -> None:
    """Cancel the job, or let it rest at its present place; where that was taken back just now, give it back."""
    vector = None if assignment is None else parameter_bytes.to_bytes(assignment.training.parameters)

    def leave(session: Session) -> None:
        record = records.find(session, ledger.job, lock=True)
        if record.asked == Asked.CANCEL:
            _leave(session, record, assignment, vector, State.CANCELLED)
        else:
            _keep(session, record, assignment, vector)  # should it be cancelled without a worker
            queue.without_worker(session, record, yields=record.to_yield)

    ledger.close()
    if ledger.asked != Asked.CANCEL:
        ledger.keep_place()
    write_end(workspace.database, ledger, leave, workspace.together)


def _give_up(workspace: Workspace, ledger: Ledger, assignment: Assignment | None, state: State, **values: Any) -> None:
    """End without a version, but keep the last finite parameters where training had begun."""
    vector = None if assignment is None else parameter_bytes.to_bytes(assignment.training.parameters)

    def end(session: Session) -> None:
        _leave(session, records.find(session, ledger.job), assignment, vector, state, **values)

    ledger.close()
    write_end(workspace.database, ledger, end, workspace.together)


def _leave(
    session: Session,
    record: JobRecord,
    assignment: Assignment | None,
    vector: bytes | None,
    state: State,
    **values: Any,
) -> None:
    _keep(session, record, assignment, vector)
    queue.end(session, record, state, **values)


def _keep(session: Session, record: JobRecord, assignment: Assignment | None, vector: bytes | None) -> None:
    """Keep the last parameters where training had begun."""
    if assignment is not None and vector is not None and record.verifies is None:
        model = models.find(session, record.model_id)
        left_parameters.keep(
            session,
            record.id,
            architecture=model.architecture,
            dtype=model.dtype,
            parameters=vector,
            signature=assignment.signature,
        )
