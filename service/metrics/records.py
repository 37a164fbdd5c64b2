"""Queries for metrics, each of which an index answers."""

import time
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from service.database.record import nanoseconds_of
from service.datasets.records import DatasetRecord
from service.jobs.records import JobRecord
from service.jobs.states import ENDED, State
from service.models.records import ModelRecord
from service.telemetry import records as totals


@dataclass(frozen=True)
class Figures:
    """The state of the tables at one moment."""

    jobs: dict[str, int]
    """Jobs that are there, by their state."""
    oldest_waiting: float
    """Seconds since the oldest queued job was sent; 0 where none waits."""
    datasets: int
    models: int
    totals: dict[str, int]


def figures(session: Session) -> Figures:
    """Read all figures in one transaction."""
    known = totals.totals(session)
    oldest = session.scalar(select(func.min(JobRecord.id)).where(JobRecord.state == State.QUEUED))
    return Figures(
        jobs=_jobs(session, known),
        oldest_waiting=0.0 if oldest is None else max(0.0, (time.time_ns() - nanoseconds_of(oldest)) / 1e9),
        datasets=_count(session, select(func.count(DatasetRecord.id))),
        models=_count(session, select(func.count(ModelRecord.id))),
        totals=known,
    )


def _jobs(session: Session, known: dict[str, int]) -> dict[str, int]:
    """Return the number of jobs by state: those that run or rest are few, and of all others the totals know."""
    few = {
        state: _count(session, select(func.count()).where(JobRecord.state == state))
        for state in (State.RUNNING, State.PAUSED)
    }
    ended = {state: known.get(state, 0) for state in ENDED}
    waiting = known.get("created", 0) - sum(ended.values()) - sum(few.values())
    there = {state: count - known.get(totals.deleted(state), 0) for state, count in ended.items()}
    return {str(state): count for state, count in {State.QUEUED: waiting, **few, **there}.items()}


def _count(session: Session, statement: Select[int]) -> int:
    return session.scalar(statement) or 0
