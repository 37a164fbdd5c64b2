"""Jobs and their epochs as clients read them."""

import csv as csv_format
import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain

from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.lookup import position_of
from service.jobs import records
from service.jobs.operations import estimated_finish_at
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.reports.packing import FIELDS, Report
from service.jobs.reports.thinning import FEWEST_WITH_ENDS, Extremes, stretch_of
from service.jobs.schemas import Job

CHUNK = 1000


def job(record: JobRecord) -> Job:
    """Return the present state of a job."""
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
            "path": record.plan.path,
            "recipe": asdict(record.recipe),
            "estimated_finish_at": estimated_finish_at(record),
        }
    )


def page(
    database: Database, job: str, from_epoch: int, limit: int, after: str | None
) -> tuple[list[Report], str | None]:
    """Reports from an epoch, or from the cursor, on; the cursor is the next epoch's number."""
    with database.reading() as session:
        start = start_of_page(session, job, from_epoch, after)
        found = reports.read(session, job, start, limit + 1)
    return found[:limit].to_json(), str(found.epochs[limit]) if len(found) > limit else None


def start_of_page(session: Session, job: str, from_epoch: int, after: str | None) -> int:
    """Return the epoch that a page begins with.

    Raises:
        NotFound: there is no such job.
        Invalid: the cursor is none of this list, which begins with `from_epoch` and ends with the last report.
    """
    records.find(session, job)
    last = None if after is None else reports.last_epoch(session, job)
    return position_of(after, 0 if last is None else last + 1, begin=from_epoch)


def chunks(database: Database, job: str, from_epoch: int) -> Iterator[list[Report]]:
    """Yield all reports from an epoch on; no transaction stays open between chunks."""
    while True:
        with database.reading() as session:
            found = reports.read(session, job, from_epoch, CHUNK)
        if len(found):
            yield found.to_json()
        if len(found) < CHUNK:
            return
        from_epoch = int(found.epochs[-1]) + 1


def curve(database: Database, job: str, from_epoch: int, points: int) -> list[Report]:
    """Return the reports of a job from an epoch on, thinned to about `points`."""
    with database.reading() as session:
        return thinned(session, records.find(session, job), from_epoch, points)


def thinned(session: Session, job: JobRecord, from_epoch: int, points: int) -> list[Report]:
    """About `points` reports: the first, the last, and the lowest and highest loss of each stretch between."""
    last = job.epochs_done
    stretch = max(1, -(-2 * (last + 1 - from_epoch) // max(1, points - 2)))
    rows = reports.extreme_rows(session, job.id, from_epoch, last, stretch)
    blocks = reports.blocks(session, job.id, from_epoch)
    return Extremes(from_epoch, stretch).take(chain([rows], blocks)).to_json()


@dataclass(frozen=True)
class Flush:
    """Reports of a job that came since somebody looked, thinned."""

    job: str
    items: list[Report]
    last: int
    """The last epoch, which thinning to a few points may leave out."""


def flushes(database: Database, begins: dict[str, int], points: int) -> list[Flush]:
    """Return what came for each job from its epoch on, thinned to at most `points`; jobs without news are left out."""
    with database.reading() as session:
        found = (_flush(session, job, from_epoch, points) for job, from_epoch in begins.items())
        return [each for each in found if each is not None]


def _flush(session: Session, job: str, from_epoch: int, points: int) -> Flush | None:
    last = reports.last_epoch(session, job)
    if last is None or last < from_epoch:
        return None
    stretch = stretch_of(last + 1 - from_epoch, points)
    rows = reports.extreme_rows(session, job, from_epoch, last, stretch)
    # another transaction may have added more by now
    blocks = (
        block[: int(block.epochs.searchsorted(last, "right"))] for block in reports.blocks(session, job, from_epoch)
    )
    kept = Extremes(from_epoch, stretch, has_ends=points >= FEWEST_WITH_ENDS).take(chain([rows], blocks))
    return Flush(job, kept.to_json(), last)


def csv(database: Database, job: str, from_epoch: int, points: int | None) -> Iterator[str]:
    """Return the reports as CSV, a header line first."""
    if points is not None:
        return _csv_lines([curve(database, job, from_epoch, points)])
    with database.reading() as session:
        records.find(session, job)
    return _csv_lines(chunks(database, job, from_epoch))


def _csv_lines(wanted: Iterable[list[Report]]) -> Iterator[str]:
    yield ",".join(FIELDS) + "\r\n"
    for rows in wanted:
        text = io.StringIO()
        csv_format.DictWriter(text, FIELDS).writerows(rows)
        yield text.getvalue()
