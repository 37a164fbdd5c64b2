"""The end of a job without a version, and its rest: the last finite parameters are kept."""

from typing import Any

from sqlalchemy.orm import Session

from service.engine.assignment import Assignment
from service.engine.ends.ending import End, write_end
from service.engine.ledger import Ledger
from service.engine.workspace import Workspace
from service.jobs import queue, records
from service.jobs.records import JobRecord
from service.jobs.states import Asked, State
from service.learning.training.training import Training
from service.models import parameter_bytes
from service.models import records as models
from service.models.left import records as left_parameters


def leave_as_asked(workspace: Workspace, ledger: Ledger, assignment: Assignment | None) -> None:
    """Cancel the job, or let it rest at its present place; where that was taken back just now, give it back."""
    vector = None if assignment is None else parameter_bytes.to_bytes(assignment.training.parameters)

    def write(session: Session, _asked: str | None) -> End:
        record = records.find(session, ledger.job, lock=True)
        if record.asked == Asked.CANCEL:
            leave(session, record, assignment, vector, State.CANCELLED)
        else:
            if record.asked is None and assignment is not None and _is_at_rung(record, assignment.training):
                record.asked = Asked.PAUSE
            keep(session, record, assignment, vector)  # should it be cancelled without a worker
            queue.without_worker(session, record, yields=record.to_yield)
        return End.of(record)

    ledger.close()
    if ledger.asked != Asked.CANCEL:
        ledger.keep_place()
    write_end(workspace.database, ledger, write, workspace.together)


def _is_at_rung(record: JobRecord, training: Training) -> bool:
    return record.rest_after is not None and training.epochs_done >= record.rest_after


def give_up(workspace: Workspace, ledger: Ledger, assignment: Assignment | None, state: State, **values: Any) -> None:
    """End without a version, but keep the last finite parameters where training had begun."""
    vector = None if assignment is None else parameter_bytes.to_bytes(assignment.training.parameters)

    def end(session: Session, _asked: str | None) -> End:
        return leave(session, records.find(session, ledger.job), assignment, vector, state, **values)

    ledger.close()
    write_end(workspace.database, ledger, end, workspace.together)


def leave(
    session: Session,
    record: JobRecord,
    assignment: Assignment | None,
    vector: bytes | None,
    state: State,
    **values: Any,
) -> End:
    keep(session, record, assignment, vector)
    queue.end(session, record, state, **values)
    return End.of(record)


def keep(session: Session, record: JobRecord, assignment: Assignment | None, vector: bytes | None) -> None:
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
