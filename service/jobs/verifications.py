"""Training again from a job's receipt, to compare the bytes."""

from sqlalchemy.orm import Session

from service.datasets import records as datasets
from service.errors import Conflict, NotFound
from service.jobs import receipts, records
from service.jobs.queue import adding
from service.jobs.receipts import Outcome, Receipt
from service.jobs.records import JobRecord
from service.jobs.states import JobError
from service.models import parameter_bytes
from service.models import records as models

OF_THE_END = ("worse_than_before", "version_not_served")
"""Codes of the advice about the version that a job has added."""


def enqueue(session: Session, job: str) -> JobRecord:
    """Write one queued row that trains as `job` did, and adds no version.

    Raises:
        NotFound: there is no such job.
        Conflict: it added no version, or its model, a version or its dataset is gone.
    """
    original = records.find(session, job, lock=True)  # so that it stays until this is committed
    if original.version is None:
        what = f"verifies job {original.verifies}" if original.verifies else f"is {original.state}"
        raise Conflict(f"Job {job} {what}: only one that added a version can be verified.", "nothing_to_verify")
    begun_from: int = original.recipe.from_version
    try:
        models.find(session, original.model_id, lock=True)  # so that its versions stay until this is committed
    except NotFound:
        raise Conflict(f"The model of job {job}, {original.model_id}, is gone.", "model_gone") from None
    for number, what in ((begun_from, "began from"), (original.version, "added")):
        try:
            models.version(session, original.model_id, number, parameters=False)
        except NotFound:
            raise Conflict(f"Version {number}, which job {job} {what}, was deleted.", "version_gone") from None
    try:
        datasets.find(session, original.dataset_id, to_read=True)
    except NotFound:
        raise Conflict(f"The dataset of job {job}, {original.dataset_id}, is gone.", "dataset_gone") from None
    advice = [each for each in original.advice if each.code not in OF_THE_END]
    again = {"recipe": original.recipe, "plan": original.plan, "advice": advice, "verifies": job}
    return adding.add(session, original.model_id, begun_from, original.dataset_id, **again)


def outcome(session: Session, verifying: JobRecord, receipt: Receipt) -> Outcome:
    """Return the outcome; the receipt of a training that diverged has no hash of parameters."""
    assert verifying.verifies is not None
    original = records.find(session, verifying.verifies)
    identical = receipt.parameters_sha256 == _hash_of_result(session, original)
    # A job that ended before there were receipts has no record of its environment.
    differs = [] if original.receipt is None else original.receipt.differences(receipt)
    return Outcome(identical, differs if identical or differs else ["parameters"])


def _hash_of_result(session: Session, original: JobRecord) -> str:
    """Return the hash of the parameters that a job added; by its receipt where that version was deleted meanwhile."""
    assert original.version is not None, "only such jobs are verified"
    try:
        kept = models.version(session, original.model_id, original.version)
    except NotFound:
        if original.receipt is None:
            raise
        return original.receipt.parameters_sha256
    return receipts.sha256(parameter_bytes.from_bytes(kept.parameters))


def outcome_of(verifying: JobRecord) -> Outcome:
    """Return the finding of a job that verifies.

    Raises:
        Conflict: it ended without a finding.
    """
    if verifying.verification is None:
        error = verifying.error or JobError("verification_cancelled", "It was cancelled.", None)
        detail = f"Job {verifying.id}, which trained again, has {verifying.state}. {error.detail}"
        raise Conflict(detail, error.code)
    return verifying.verification
