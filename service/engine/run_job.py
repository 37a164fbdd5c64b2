"""One job's story, from its claim to its end. Runs in a worker process."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.engine import assignment as assignments
from service.engine.assignment import Assignment
from service.engine.ends.ending import reason_of
from service.engine.ends.judgement import Judgement, Overtaken
from service.engine.ends.leaving import give_up, leave_as_asked
from service.engine.ends.results import is_part, verified, write_success
from service.engine.ledger import Ledger
from service.engine.steering import rests, steer
from service.engine.workspace import Workspace, limited_memory
from service.errors import Unavailable
from service.jobs import queue, records
from service.jobs.log import records as log_of_jobs
from service.jobs.log.records import Happening
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.states import FIRST_GAP, LONGEST_GAP, Asked, State
from service.learning.training.events import Diverged, EpochReport, Progress
from service.telemetry.traces import tracing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A job that this worker has, and what is known of it."""

    record: JobRecord
    attempt: int
    last_epoch: int | None = None
    backoffs: int = 0
    trace: str | None = None
    """The span of the claim, above those of the other steps: it is told at once, whatever becomes of the worker."""


def take(session: Session, job: str, message: str) -> Claim | None:
    """Claim a job for the worker that got `message`; None where another one has it, or it ends here."""
    began = tracing.clock()
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
    trace = tracing.passed("job.claim", began, record.trace, job=job, attempt=attempt)
    if attempt == 1:  # nothing has been written yet
        return Claim(record, attempt, trace=trace)
    backoffs = log_of_jobs.count(session, job, Happening.BACKED_OFF)
    return Claim(record, attempt, reports.last_epoch(session, job), backoffs, trace)


def train(workspace: Workspace, claim: Claim) -> None:
    """Train a claimed job, and write its end."""
    known = claim.attempt, claim.last_epoch, claim.backoffs, claim.trace
    with Ledger(workspace.beats, claim.record, *known) as ledger:
        _train(workspace, ledger, claim.record)


def work_on(workspace: Workspace, job: str, message: str) -> None:
    """Do all of this for one job."""
    with workspace.database.transaction() as session:
        claim = take(session, job, message)
    if claim is not None:
        train(workspace, claim)


def _prepared(workspace: Workspace, ledger: Ledger, record: JobRecord) -> Assignment | None:
    """Return the training once its data is at hand; None where the claim is lost or a client cancels meanwhile.

    While the storage is out of reach, or has no room for a copy, the job rests: that is no fault of the job.
    """
    gap = FIRST_GAP
    while True:
        try:
            return assignments.prepare(workspace, record)
        except Unavailable as error:
            log.warning("job %s rests: %s", ledger.job, error)
        if ledger.must_end_within(gap):
            return None
        gap = min(2 * gap, LONGEST_GAP)


def _train(workspace: Workspace, ledger: Ledger, record: JobRecord) -> None:
    assignment = None
    try:
        with limited_memory(workspace.memory):
            with tracing.step("job.prepare", ledger.trace, job=ledger.job):
                assignment = _prepared(workspace, ledger, record)
            if assignment is None:
                if not ledger.lost:
                    leave_as_asked(workspace, ledger, None)
                return
            ledger.watch(assignment.training)
            if _follow(workspace, ledger, assignment, "job.train", assignment.training.run()):
                _succeed(workspace, ledger, assignment, record)
    except SQLAlchemyError:
        raise  # the database cannot be reached: nothing can be written, and the lease calls the job back
    except Exception as error:  # noqa: BLE001 - whatever it is, it would come again with every worker
        outcome = None
        if assignment is not None and isinstance(error, Diverged):
            outcome = verified(workspace, record, assignment.receipt)
        trained = None if assignment is None else (assignment.training, assignment.network)
        reason = reason_of(record.id, error, record.plan, trained, workspace.memory)
        give_up(workspace, ledger, assignment, State.FAILED, error=reason, verification=outcome)


def _follow(
    workspace: Workspace, ledger: Ledger, assignment: Assignment, step: str, events: Iterable[EpochReport | Progress]
) -> bool:
    """Note the events of a step to their end; False where the claim is lost or the job leaves this worker."""
    with tracing.step(step, ledger.trace, job=ledger.job) as told:
        leaves = _note(workspace, ledger, assignment, events)
        told["epochs"] = assignment.training.epochs_done
    if leaves:
        leave_as_asked(workspace, ledger, assignment)
    return leaves is False


def _note(
    workspace: Workspace, ledger: Ledger, assignment: Assignment, events: Iterable[EpochReport | Progress]
) -> bool | None:
    """Note the events until the job is to leave this worker; return whether it is, and None where the claim is lost."""
    leaves = ledger.wished and steer(ledger, assignment.training)  # asked while no worker had the job
    for event in () if leaves else events:
        ledger.note(event)
        if workspace.together is not None:
            workspace.together.keep_up()
        if ledger.lost:
            return None
        leaves = (ledger.wished and steer(ledger, assignment.training)) or rests(ledger, assignment.training, event)
        if leaves:
            break
    return leaves


def _succeed(workspace: Workspace, ledger: Ledger, assignment: Assignment, record: JobRecord) -> None:
    """Judge the result and write the end; once more where another version came to be served in between."""
    if record.verifies is not None or (is_part(record) and record.serve != "if_better"):
        write_success(workspace, ledger, assignment, record, None)
        return
    judgement = Judgement(assignment.training, record, assignment.view)
    while _follow(workspace, ledger, assignment, "job.judge", judgement.measure(workspace.database)):
        try:
            write_success(workspace, ledger, assignment, record, judgement)
        except Overtaken:
            ledger.reopen()
        else:
            return
