"""Queries of retention: each finds rows that are old and needed by nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import numpy as np
from sqlalchemy import JSON, ColumnElement, and_, delete, exists, func, insert, select, tuple_, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from service.evaluations.records import EvaluationRecord
from service.idempotency.records import AnswerRecord
from service.ids import first_id
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.reports.packing import COLUMNS, Reports, joined
from service.jobs.reports.records import EpochRecord, ReportsRecord
from service.jobs.reports.thinning import Extremes
from service.jobs.states import ENDED, UNENDED
from service.models.left.records import LastParametersRecord
from service.models.records import ModelRecord, PointRecord, VersionRecord
from service.sweeps.records import SweepRecord

KEPT_EPOCHS = 1000
"""About the number of a job's reports that stay: the first, the last, the best, and extremes of stretches between."""
ANSWER = AnswerRecord.owner, AnswerRecord.key
POINT = PointRecord.job_id, PointRecord.epoch
VERSION = VersionRecord.model_id, VersionRecord.number
"""The columns of keys."""


Key = TypeVar("Key")
Among = Sequence[Key] | None
"""The keys that a query is to look at; None: all rows."""


class Version(NamedTuple):
    """The key of a version."""

    model: str
    number: int


class Point(NamedTuple):
    """The key of the parameters of a kept epoch."""

    job: str
    epoch: int


def old_jobs(session: Session, before: datetime, among: Among[str] = None) -> list[str]:
    """Return jobs that ended before, except those of sweeps and cross-validations, and those being verified."""
    again = aliased(JobRecord)
    verified = select(again.verifies).where(again.state.in_(UNENDED), again.verifies.is_not(None))
    alone = JobRecord.sweep.is_(None), JobRecord.cross_validation.is_(None)
    return _ended(session, before, among, *alone, JobRecord.id.not_in(verified))


def _ended(session: Session, before: datetime, among: Among[str], *conditions: ColumnElement[bool]) -> list[str]:
    """Return jobs that ended before: an index finds them by their ids, which begin with the time of creation."""
    created = JobRecord.id < first_id("job", int(before.astimezone(UTC).timestamp() * 1e9))
    wanted = JobRecord.state.in_(ENDED), created, JobRecord.ended_at < before, *_among(among, JobRecord.id), *conditions
    return list(session.scalars(select(JobRecord.id).where(*wanted).order_by(JobRecord.id)))


def _among(keys: Among[Any], *columns: InstrumentedAttribute[Any]) -> list[ColumnElement[bool]]:
    """Return the condition that a row has one of these keys, where keys are given."""
    if keys is None:
        return []
    return [tuple_(*columns).in_(keys) if len(columns) > 1 else columns[0].in_(keys)]


def jobs_to_thin(session: Session, before: datetime, among: Among[str] = None) -> list[str]:
    """Return ended jobs with many reports, packed as workers wrote them."""
    packed = exists().where(ReportsRecord.job_id == JobRecord.id)
    return _ended(session, before, among, JobRecord.epochs_done > KEPT_EPOCHS, packed)


def thin(session: Session, jobs: Sequence[str]) -> None:
    """Keep about a thousand reports of each, as rows: blocks hold successive epochs alone."""
    for record in session.scalars(select(JobRecord).where(JobRecord.id.in_(jobs))):
        blocks = list(reports.blocks(session, record.id, 0))
        whole = joined(blocks)
        stretch = max(1, -(-2 * len(whole) // (KEPT_EPOCHS - 3)))
        kept = Extremes(0, stretch).take(blocks)
        best = whole[np.flatnonzero(whole.epochs == (-1 if record.best_epoch is None else record.best_epoch))]
        rows = {**_rows(record.id, kept), **_rows(record.id, best)}
        session.execute(delete(ReportsRecord).where(ReportsRecord.job_id == record.id))
        session.execute(insert(EpochRecord), [rows[epoch] for epoch in sorted(rows)])


def _rows(job: str, part: Reports) -> dict[int, dict[str, object]]:
    """Return rows of the table of single reports by their epochs."""
    values = [[None if value != value else value for value in row] for row in part.values.tolist()]
    pairs = zip(part.epochs.tolist(), values, strict=True)
    return {epoch: {"job_id": job, "epoch": epoch, **dict(zip(COLUMNS, row, strict=True))} for epoch, row in pairs}


def old_last_parameters(session: Session, before: datetime, among: Among[str] = None) -> list[str]:
    """Return ended jobs that left their last parameters, except folds, which predict by them, and trials of sweeps that
    have not ended.
    """
    left = exists().where(LastParametersRecord.job_id == JobRecord.id)
    chosen = exists().where(SweepRecord.id == JobRecord.sweep, SweepRecord.ended_at.is_(None))
    return _ended(session, before, among, left, JobRecord.cross_validation.is_(None), ~chosen)


def drop_last_parameters(session: Session, jobs: Sequence[str]) -> None:
    session.execute(delete(LastParametersRecord).where(LastParametersRecord.job_id.in_(jobs)))


def old_points(session: Session, before: datetime, among: Among[Point] = None) -> list[Point]:
    """Return kept epochs of versions from before, except those that were evaluated or that a job begins from, and the
    best of a refit, whose outputs tell how far off its version is.
    """
    own = and_(VersionRecord.model_id == PointRecord.model_id, VersionRecord.job_id == PointRecord.job_id)
    evaluated = exists().where(
        EvaluationRecord.model_id == PointRecord.model_id,
        EvaluationRecord.version == VersionRecord.number,
        EvaluationRecord.epoch == PointRecord.epoch,
    )
    best = exists().where(
        JobRecord.id == PointRecord.job_id,
        JobRecord.best_epoch == PointRecord.epoch,
        type_coerce(JobRecord.recipe, JSON)["refit"].as_boolean(),
    )
    columns = PointRecord.job_id, PointRecord.epoch, PointRecord.model_id, VersionRecord.number
    statement = select(*columns).join(VersionRecord, own).where(VersionRecord.created_at < before, ~evaluated, ~best)
    rows = session.execute(statement.where(*_among(among, *POINT)).order_by(*POINT)).all()
    begun = _begun_from(session, None if among is None else {model for _, _, model, _ in rows})
    return [Point(job, epoch) for job, epoch, model, number in rows if (model, number, epoch) not in begun]


def _begun_from(session: Session, models: set[str] | None) -> set[tuple[str, int, int | None]]:
    """Return the model, version and kept epoch that each job of these models, or of all, began from."""
    recipe = type_coerce(JobRecord.recipe, JSON)
    columns = JobRecord.model_id, recipe["from_version"].as_integer(), recipe["from_epoch"].as_integer()
    statement = select(*columns).where(*_among(None if models is None else list(models), JobRecord.model_id)).distinct()
    return {(model, number, epoch) for model, number, epoch in session.execute(statement)}


def drop_points(session: Session, points: Sequence[Point]) -> None:
    session.execute(delete(PointRecord).where(*_among(points, *POINT)))


def old_answers(session: Session, before: datetime, among: Among[tuple[str, str]] = None) -> list[tuple[str, str]]:
    """Return old answers to requests with an `Idempotency-Key`, by owner and key."""
    statement = select(*ANSWER).where(AnswerRecord.created_at < before, *_among(among, *ANSWER))
    return [(owner, key) for owner, key in session.execute(statement)]


def drop_answers(session: Session, answers: Sequence[tuple[str, str]]) -> None:
    session.execute(delete(AnswerRecord).where(*_among(answers, *ANSWER)))


def old_versions(session: Session, before: datetime, among: Among[Version] = None) -> list[Version]:
    """Return versions that are not served, latest, evaluated or a sweep's best, and that no job began from."""
    other = aliased(VersionRecord)
    latest = select(other.number).where(other.model_id == VersionRecord.model_id)
    latest = latest.order_by(other.number.desc()).limit(1)  # max() would look at each version once for each
    needed = (
        VersionRecord.number == ModelRecord.served,
        VersionRecord.number == latest.scalar_subquery(),
        VersionRecord.number == latest.where(~other.refused).scalar_subquery(),
        exists().where(
            EvaluationRecord.model_id == VersionRecord.model_id, EvaluationRecord.version == VersionRecord.number
        ),
        exists().where(JobRecord.held_model_id == ModelRecord.id, JobRecord.held_version == VersionRecord.number),
        exists().where(SweepRecord.best_job == VersionRecord.job_id),
    )
    statement = select(*VERSION).join(ModelRecord, ModelRecord.id == VersionRecord.model_id)
    statement = statement.where(VersionRecord.created_at < before, *(~func.coalesce(each, False) for each in needed))
    found = [Version(*row) for row in session.execute(statement.where(*_among(among, *VERSION)).order_by(*VERSION))]
    begun = _begun_from(session, None if among is None else {each.model for each in found})
    begun_versions = {(model, number) for model, number, _ in begun}
    return [each for each in found if each not in begun_versions]


def drop_versions(session: Session, versions: Sequence[Version]) -> None:
    """Delete versions with the epochs that their trainings kept; their numbers are never given again."""
    chosen = _among(versions, *VERSION)
    jobs = select(VersionRecord.job_id).where(VersionRecord.job_id.is_not(None), *chosen)
    session.execute(delete(PointRecord).where(PointRecord.job_id.in_(jobs)))
    session.execute(delete(VersionRecord).where(*chosen))
