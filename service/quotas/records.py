"""Bytes that an owner's things take: one query for each table that has them."""

from sqlalchemy import JSON, Select, exists, func, select, type_coerce
from sqlalchemy.orm import Session

from service.datasets.records import DatasetRecord
from service.jobs.growth import BYTES_OF_A_JOB
from service.jobs.records import CheckpointRecord, JobRecord
from service.jobs.reports.records import EpochRecord, ReportsRecord
from service.jobs.states import ENDED, UNENDED
from service.models.left.records import LastParametersRecord
from service.models.records import ModelRecord, PointRecord, VersionRecord

BYTES_OF_A_REPORT = 60
"""Those of a report in a row of its own."""


def bytes_of(session: Session, owner: str) -> int:
    """Return the bytes of an owner's datasets, versions, kept epochs, and jobs with their reports and last parameters.

    A job that has not ended has the bytes that its plan expects, and none of those that it has written by now.
    """
    return sum(int(session.scalar(statement) or 0) for statement in _statements(owner))


def _statements(owner: str) -> list[Select[tuple[int]]]:
    models = ModelRecord.owner == owner
    ended = (JobRecord.owner == owner, JobRecord.state.in_(ENDED))
    planned = func.coalesce(type_coerce(JobRecord.plan, JSON)["bytes"].as_integer(), BYTES_OF_A_JOB)
    trains = exists().where(JobRecord.id == PointRecord.job_id, JobRecord.state.in_(UNENDED))
    return [
        select(func.sum(DatasetRecord.bytes)).where(DatasetRecord.owner == owner),
        select(func.sum(func.length(VersionRecord.parameters))).join(ModelRecord).where(models),
        select(func.sum(func.length(PointRecord.parameters))).join(ModelRecord).where(models, ~trains),
        select(func.sum(planned)).where(JobRecord.owner == owner, JobRecord.state.in_(UNENDED)),
        select(func.count() * BYTES_OF_A_JOB).select_from(JobRecord).where(*ended),
        select(func.sum(func.length(ReportsRecord.columns))).join(JobRecord).where(*ended),
        select(func.count() * BYTES_OF_A_REPORT).select_from(EpochRecord).join(JobRecord).where(*ended),
        select(func.sum(func.length(LastParametersRecord.parameters))).join(JobRecord).where(*ended),
        select(func.sum(func.length(CheckpointRecord.state))).join(JobRecord).where(*ended),
    ]
