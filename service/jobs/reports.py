"""Jobs and their epochs as clients read them."""

import csv as csv_format
import io
from collections.abc import Iterator
from typing import Any

from service import numbers
from service.database.engine import Database
from service.database.lookup import position_of
from service.jobs import records
from service.jobs.operations import estimated_finish_at
from service.jobs.records import EpochRecord, JobRecord
from service.jobs.schemas import EpochReport, Job

FIELDS = tuple(EpochReport.model_fields)
CHUNK = 1000


def job(record: JobRecord) -> Job:
    """A job as it stands."""
    best = None
    if record.best_epoch is not None:
        best = {"epoch": record.best_epoch, "loss": record.best_loss, "of": record.best_of}
    columns = {name: getattr(record, name) for name in Job.model_fields if hasattr(record, name)}
    return Job.model_validate(
        {
            **columns,
            "model": record.model_id,
            "dataset": record.dataset_id,
            "best": best,
            "path": record.plan["path"],
            "estimated_finish_at": estimated_finish_at(record),
        }
    )


def report(record: EpochRecord) -> dict[str, Any]:
    values = ((name, getattr(record, name)) for name in FIELDS)
    return {name: numbers.finite(value) if isinstance(value, float) else value for name, value in values}


def page(
    database: Database, job: str, from_epoch: int, limit: int, after: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Reports from an epoch, or from the cursor, on; the cursor is the next epoch's number."""
    with database.reading() as session:
        end = records.find(session, job).epochs_done + 1
        start = max(from_epoch, position_of(after, end))
        rows = records.epochs(session, job, start, limit + 1)
    return [report(row) for row in rows[:limit]], str(rows[limit].epoch) if len(rows) > limit else None


def chunks(database: Database, job: str, from_epoch: int) -> Iterator[list[dict[str, Any]]]:
    """All reports that there are from an epoch on; no transaction stays open between chunks."""
    while True:
        with database.reading() as session:
            rows = [report(row) for row in records.epochs(session, job, from_epoch, CHUNK)]
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        from_epoch = rows[-1]["epoch"] + 1


def thinned(database: Database, job: str, from_epoch: int, points: int) -> list[dict[str, Any]]:
    """About `points` reports: the first, the last, and of each stretch between the lowest and the highest loss."""
    with database.reading() as session:
        last = records.find(session, job).epochs_done
        stretch = max(1, -(-2 * (last + 1 - from_epoch) // max(1, points - 2)))
        return [report(row) for row in records.extreme_epochs(session, job, from_epoch, last, stretch)]


def csv(database: Database, job: str, from_epoch: int, points: int | None) -> Iterator[str]:
    """The reports as CSV, a header line first."""
    with database.reading() as session:
        records.find(session, job)
    return _csv_lines(database, job, from_epoch, points)


def _csv_lines(database: Database, job: str, from_epoch: int, points: int | None) -> Iterator[str]:
    yield ",".join(FIELDS) + "\r\n"
    wanted = chunks(database, job, from_epoch) if points is None else [thinned(database, job, from_epoch, points)]
    for rows in wanted:
        text = io.StringIO()
        csv_format.DictWriter(text, FIELDS).writerows(rows)
        yield text.getvalue()
