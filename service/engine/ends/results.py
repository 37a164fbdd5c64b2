"""The writing of a result: a new version of the model, or the parameters of one part of a greater whole."""

from sqlalchemy.orm import Session

from service.cross_validations.records import fold_of_job
from service.engine.assignment import Assignment
from service.engine.ends.ending import End, write_end
from service.engine.ends.folds import judged
from service.engine.ends.judgement import Judgement, Served
from service.engine.ends.leaving import keep, leave
from service.engine.ledger import Ledger
from service.engine.workspace import Workspace
from service.jobs import queue, records, verifications
from service.jobs.receipts import Outcome, Receipt
from service.jobs.records import JobRecord
from service.jobs.states import Asked, State
from service.learning.planning.advice import Advice, rounded_parameters
from service.learning.training.refit import RefitTraining
from service.models import parameter_bytes
from service.models import records as models
from service.models.serving.records import served_of
from service.sweeps import records as sweeps
from service.telemetry import records as totals


def write_success(
    workspace: Workspace, ledger: Ledger, assignment: Assignment, record: JobRecord, judgement: Judgement | None
) -> None:
    """Write the end in one transaction: last reports, the new version, the state.

    Raises:
        Overtaken: the judgement does not know the version that is served.
    """
    training = assignment.training
    final_loss, result = training.final_loss(), training.result()
    receipt, vector = assignment.receipt.with_result(result), parameter_bytes.to_bytes(result)
    outcome, score = verified(workspace, record, receipt), judged(workspace, record, assignment, result)

    def end(session: Session, asked: str | None) -> End:
        if asked == Asked.CANCEL:  # since the last beat
            return leave(session, records.find(session, record.id), assignment, vector, State.CANCELLED)
        values: dict[str, object] = {"final_loss": final_loss, "ended_by": training.ended_by, "receipt": receipt}
        if is_part(record):
            if judgement is not None:
                _note_refusal(session, record, judgement)
        elif judgement is not None:
            number, further = _add_version(session, record, assignment, vector, judgement)
            so_far = records.advice_of(session, record.id) if ledger.changed else record.advice
            values |= {"version": number, "advice": [*so_far, *further]}
        if isinstance(training, RefitTraining):
            _count_second(session, training)
            if record.verifies is None:
                _keep_chosen(session, record, training)
        queue.end_unread(session, record.id, record.attempt, State.SUCCEEDED, verification=outcome, **values)
        if is_part(record):
            keep(session, record, assignment, vector)
        if score is not None:
            models.drop_points(session, record.id)
            fold, _ = fold_of_job(session, record.id)
            fold.metrics, fold.rows = score.metrics, score.rows
        return End(State.SUCCEEDED)

    ledger.close()
    write_end(workspace.database, ledger, end, workspace.together)


def is_part(record: JobRecord) -> bool:
    """Whether a job adds no version, as it is a trial of a sweep or a fold of a cross-validation."""
    return record.sweep is not None or record.cross_validation is not None


def _count_second(session: Session, training: RefitTraining) -> None:
    """Add the epochs of the training of all rows, which has no reports, to the totals."""
    if training.second is not None:
        epochs = training.second.epochs_done
        totals.count(session, epochs=epochs, rows=epochs * training.second.rows)


def _keep_chosen(session: Session, record: JobRecord, training: RefitTraining) -> None:
    """Keep the parameters that validation rows chose: how far off these are can be told by such rows alone."""
    chosen = training.chosen
    if chosen is not None and chosen.epoch not in models.kept_epochs(session, [record.id]).get(record.id, []):
        models.add_point(session, record.id, chosen.epoch, record.model_id, parameter_bytes.to_bytes(chosen.vector))


def _note_refusal(session: Session, record: JobRecord, judgement: Judgement) -> None:
    """Keep whether the result is to be served, should its sweep choose it."""
    refused = judgement.refuses(Served(*served_of(session, record.model_id)))
    trial = sweeps.trial_of(session, record.id)
    if trial is not None:
        trial.refused = refused


def _add_version(
    session: Session, record: JobRecord, assignment: Assignment, vector: bytes, judgement: Judgement
) -> tuple[int, list[Advice]]:
    """Add the version; return its number, and the advice that follows from the job's end."""
    served = Served(*served_of(session, record.model_id, lock=True))
    kept = session, record.model_id, vector, record.id, assignment.signature
    number = models.add_version(*kept, serve=record.serve, refused=judgement.refuses(served))
    assert number is not None, "a job that has not ended holds its model"
    return number, [*rounded_parameters(assignment.training), *judgement.advice(number, served)]


def verified(workspace: Workspace, record: JobRecord, receipt: Receipt) -> Outcome | None:
    """Return the outcome of a job that trains another one again."""
    if record.verifies is None:
        return None
    with workspace.database.reading() as session:
        return verifications.outcome(session, record, receipt)
