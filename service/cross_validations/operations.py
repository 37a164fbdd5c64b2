"""The rules of cross-validations."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.cross_validations import records
from service.cross_validations.records import CrossValidationRecord, FoldRecord, Standing
from service.cross_validations.schemas import CrossValidation, Fold, NewCrossValidation
from service.cross_validations.scores import mean_and_deviation
from service.database.database import Database
from service.datasets import records as datasets
from service.errors import Conflict, invalid
from service.ids import new_id
from service.jobs import drafts
from service.jobs import operations as jobs
from service.jobs.checks.allowed import Allowed
from service.jobs.drafts import Draft
from service.jobs.shared_recipe import check_own_fields, job_of, place_in_recipe
from service.jobs.states import ENDED, State
from service.models.networks import Networks
from service.pointers import faults_at, reference_at
from service.settings import Settings
from service.storage.storage import Storage

UNTRAINED = 0
"""The version that trainings begin from, unless the recipe names another: later ones may have seen the folds."""


def draft(
    database: Database,
    storage: Storage,
    networks: Networks,
    settings: Settings,
    new: NewCrossValidation,
    submitter: str,
) -> Draft:
    """Check and plan the training of a fold.

    Raises:
        NotFound: model, version or dataset; with its pointer.
        Conflict: the dataset is loading.
        Invalid: the recipe is impossible, or there are fewer rows than folds.
    """
    check_own_fields(new.recipe)
    with database.reading() as session, reference_at("#/dataset"):
        dataset = datasets.find_ready(session, new.dataset)
    rows = dataset.train_rows + dataset.validation_rows
    if rows < new.folds:
        detail = (
            f"{new.folds} folds need as many rows, and the train and validation parts have {rows}: send fewer folds."
        )
        raise invalid("#/folds", detail, "too_few_rows")
    with faults_at(place_in_recipe):
        job = job_of({"from_version": UNTRAINED, **new.recipe}, new.model, new.dataset)
        return drafts.draft(database, storage, networks, job, Allowed.by(settings), submitter)


def create(session: Session, new: NewCrossValidation, job: Draft) -> CrossValidationRecord:
    """Write the cross-validation, and a queued job for each fold.

    Raises:
        NotFound: model, version or dataset were deleted since the draft.
    """
    record = CrossValidationRecord(
        id=new_id("cv"),
        model_id=job.model,
        dataset_id=job.dataset,
        recipe=new.recipe,
        folds=new.folds,
        seed=new.seed,
        advice=job.advice,
    )
    session.add(record)
    session.flush()
    for number in range(new.folds):
        queued = jobs.enqueue(session, job)
        queued.cross_validation = record.id
        session.add(FoldRecord(cross_validation_id=record.id, number=number, job_id=queued.id))
    session.flush()
    return record


def show(session: Session, record: CrossValidationRecord) -> CrossValidation:
    """Return a cross-validation with the present state of its folds."""
    standings = records.standings(session, record.id)
    ended, good = _is_over(standings), all(each.state == State.SUCCEEDED for each in standings)
    metrics = [each.fold.metrics or {} for each in standings]
    mean, deviation = mean_and_deviation(metrics) if ended and good else (None, None)
    error = next((each.error for each in standings if each.error is not None), None)
    return CrossValidation.model_validate(
        {
            "id": record.id,
            "state": ("succeeded" if good else "failed") if ended else "running",
            "model": record.model_id,
            "dataset": record.dataset_id,
            "recipe": record.recipe,
            "seed": record.seed,
            "folds": [_fold(each) for each in standings],
            "mean": mean,
            "deviation": deviation,
            "advice": record.advice,
            "error": error,
            "created_at": record.created_at,
            "ended_at": max((each.ended_at for each in standings if each.ended_at), default=None) if ended else None,
        },
        from_attributes=True,
    )


def _is_over(standings: Sequence[Standing]) -> bool:
    return all(each.state in ENDED for each in standings)


def _fold(standing: Standing) -> Fold:
    fold = standing.fold
    return Fold(fold=fold.number, job=fold.job_id, state=standing.state, rows=fold.rows, metrics=fold.metrics)


def delete(database: Database, id: str) -> None:
    """Delete an ended cross-validation with its jobs.

    Raises:
        NotFound: there is none with this id.
        Conflict: a fold is still trained.
    """
    with database.transaction() as session:
        record = records.find(session, id)
        if not _is_over(records.standings(session, id)):
            each = f"each of /api/jobs?cross_validation={id}"
            detail = f"A fold is still trained: wait, or POST /api/jobs/.../cancel for {each}."
            raise Conflict(detail, "cross_validation_not_ended")
        records.delete_with_jobs(session, record)
