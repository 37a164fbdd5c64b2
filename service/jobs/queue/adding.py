"""The rows of new jobs."""

from typing import Any

from sqlalchemy import Column, insert
from sqlalchemy.orm import Session, make_transient_to_detached

from service.database import labels
from service.database.caller import caller
from service.database.record import now
from service.ids import new_id
from service.jobs.queue.order import turn_of_new
from service.jobs.records import JobRecord
from service.telemetry import records as totals
from service.telemetry.traces import tracing

_JOBS = JobRecord.metadata.tables["jobs"]
_ADD = insert(_JOBS)


def _default(column: Column[Any]) -> Any:
    default: Any = column.default
    return default.arg if default is not None and default.is_scalar else None


_DEFAULTS = {column.name: _default(column) for column in _JOBS.columns}
"""The values of columns that nobody gives."""


def add(session: Session, model: str, version: int, dataset: str, **values: Any) -> JobRecord:
    """Queue a job; until it ends, its model and dataset (ids) and the version it begins from cannot be deleted."""
    held = {"held_model_id": model, "held_version": version, "held_dataset_id": dataset}
    turn = turn_of_new(session, values.get("submitter", ""), values.get("priority", 0))
    place = {"turn": turn, "planned_seconds": values["plan"].seconds}
    known = {"id": new_id("job"), "model_id": model, "dataset_id": dataset, "trace": tracing.current()}
    by_default = _DEFAULTS | {"owner": caller().owner, "labels": {}, "created_at": now()}
    given = {**by_default, **known, **place, **held, **values}
    session.execute(_ADD, given)
    labels.add(session, JobRecord.__tablename__, given["id"], given["labels"])
    record = JobRecord(**given)
    make_transient_to_detached(record)
    session.add(record)  # as if it had been read: the session's own way to add a row takes five times as long
    totals.count(session, created=1)
    return record
