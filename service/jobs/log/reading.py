"""The log of a job as clients read it."""

from service.database.database import Database
from service.database.lookup import bad_cursor
from service.jobs import records as jobs
from service.jobs.log import records
from service.jobs.log.records import LogRecord


def page(database: Database, job: str, limit: int, after: str | None) -> tuple[list[LogRecord], str | None]:
    """Entries behind the cursor, oldest first; the cursor is the number of an entry.

    Raises:
        NotFound: there is no such job.
        Invalid: the cursor is none of this log.
    """
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise bad_cursor()
    with database.reading() as session:
        jobs.find(session, job)
        found = records.page(session, job, int(after or 0), limit + 1)
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else None
