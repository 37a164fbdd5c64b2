"""The end of a job, whose writing outlasts a full disk and a database that others have locked."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.disk_faults import is_busy
from service.engine.ledger import BEAT, Ledger
from service.errors import CannotWrite
from service.jobs import queue, records
from service.jobs.states import FIRST_GAP, LONGEST_GAP, Asked, State

log = logging.getLogger(__name__)


def write_end(database: Database, ledger: Ledger, write: Callable[[Session], None]) -> None:
    """Write the ledger's last events and the end, in one transaction; nothing where the claim is lost.

    On a full disk, or while others hold the lock of the database, it is tried again with growing gaps, until a client
    asks to throw the job away: that is done with what is there already.
    """
    gap = FIRST_GAP
    while True:
        try:
            with database.transaction() as session:
                if ledger.flush(session):
                    write(session)
            return
        except (CannotWrite, OperationalError) as error:
            if isinstance(error, OperationalError) and not is_busy(error):
                raise
            log.warning("job %s cannot write its end, trying again: %s", ledger.job, getattr(error, "orig", error))
        if _is_cancelled(database, ledger.job, gap) and _throw_away(database, ledger):
            return
        gap = min(2 * gap, LONGEST_GAP)


def _is_cancelled(database: Database, job: str, seconds: float) -> bool:
    """Whether a client asks to cancel; False once the time is over."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, BEAT))
        try:
            with database.reading() as session:
                if queue.wishes(session, job)[0] == Asked.CANCEL:
                    return True
        except SQLAlchemyError as error:
            log.warning("job %s cannot be read: %s", job, getattr(error, "orig", error))
    return False


def _throw_away(database: Database, ledger: Ledger) -> bool:
    """End the job as cancelled in the room that is kept back; False where that is used up, or others hold the lock."""

    def end(session: Session) -> None:
        if queue.write(session, ledger.job, ledger.attempt):
            queue.end(session, records.find(session, ledger.job), State.CANCELLED)

    try:
        database.write_urgently(end)
    except (CannotWrite, OperationalError):
        return False
    return True
