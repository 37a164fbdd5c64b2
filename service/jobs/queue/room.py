"""Jobs that an owner may have waiting."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.database import standing
from service.database.caller import caller
from service.database.owners import own
from service.errors import TooMany
from service.jobs.records import JobRecord
from service.jobs.states import State


def check_room(session: Session, most: int | None, new: int = 1) -> None:
    """Check that the caller may queue so many more jobs.

    Raises:
        TooMany: there would wait more of them than it may have.
    """
    if most is None:
        return
    waiting = select(JobRecord.id).where(own(JobRecord), JobRecord.state == State.QUEUED).limit(most)
    count = session.scalar(select(func.count()).select_from(waiting.subquery())) or 0
    standing.tell("Queued-Jobs", most - count - (new if count + new <= most else 0))
    if count + new > most:
        detail = f"{count} jobs of {caller().owner} wait, and at most {most} may (DESCENT_MAX_QUEUED_JOBS)"
        raise TooMany(
            f"{detail}: send this again once some have a worker, cancel some, or ask for fewer.", "too_many_jobs"
        )
