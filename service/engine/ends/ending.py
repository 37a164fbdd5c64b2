"""The end of a job: its reason where it failed, and its writing, which outlasts a full and a locked database."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.disk_faults import is_busy
from service.engine.ledger import BEAT, Ledger
from service.errors import CannotWrite, DescentError
from service.jobs import queue, records
from service.jobs.queue import claims
from service.jobs.recipe import Plan
from service.jobs.records import JobRecord
from service.jobs.states import FIRST_GAP, LONGEST_GAP, Asked, JobError, State
from service.learning.network import Network
from service.learning.planning.advice import help_for_diverged
from service.learning.training.events import Diverged
from service.learning.training.training import Training
from service.telemetry.traces import tracing

log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds after which ends are kept back no longer, well before the lease of their jobs is over."""
LESS_MEMORY = "A smaller batch_size needs less, and so does a model of narrower layers, or of float32."
HELD_UP = "Jobs that the same worker had taken before it held it up."
NOT_WRITTEN = "Its end could not be written with those of other jobs."
FIRST_ATTEMPT = 1
"""The attempt of all jobs that are claimed together: one that lost a worker, or was given back, goes alone."""


class End(NamedTuple):
    """The end that was written for a job: its state, and the code of its error."""

    state: str
    error: str | None = None

    @classmethod
    def of(cls, record: JobRecord) -> "End":
        return cls(record.state, None if record.error is None else record.error.code)


Write = Callable[[Session, str | None], End]
"""A writer of a job's end into an open transaction, by what a client has asked of the job."""


class Together:
    """The ends of short jobs that were claimed together, kept back to be written in one transaction."""

    def __init__(self, database: Database, claimed: Iterable[str]) -> None:
        self._database = database
        self._to_come = dict.fromkeys(claimed)
        """The jobs that have not begun."""
        self._kept: list[tuple[Ledger, Write]] = []
        self._until = time.monotonic() + PATIENCE

    def begin(self, job: str) -> bool:
        """Return whether the job is to be trained now; else it has been given back."""
        self.keep_up()
        return self._to_come.pop(job, job) is None

    def keep(self, ledger: Ledger, write: Write) -> None:
        self._kept.append((ledger, write))

    def keep_up(self) -> None:
        """Write what is kept, and give back what has not begun, where that takes longer than it was planned to."""
        if time.monotonic() < self._until:
            return
        self.write()
        waiting, self._to_come = list(self._to_come), {}
        self._give_back(waiting, HELD_UP)

    def write(self) -> None:
        """Write all ends; where that fails, each for itself, or not at all: alone, the jobs come to the same bytes."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        began = tracing.clock()
        try:
            with self._database.transaction() as session:
                ends = [(ledger, _write(session, ledger, write)) for ledger, write in kept]
            for ledger, end in ends:
                _tell(ledger, began, end)
        except (CannotWrite, OperationalError):
            for ledger, write in kept:
                write_end(self._database, ledger, write)
        except SQLAlchemyError:
            raise  # the lease calls the jobs back
        except Exception:
            log.exception("the ends of %d jobs cannot be written together", len(kept))
            self._give_back([ledger.job for ledger, _ in kept], NOT_WRITTEN)

    def _give_back(self, jobs: list[str], why: str) -> None:
        if not jobs:
            return
        with self._database.transaction() as session:
            for job in jobs:
                if claims.write(session, job, FIRST_ATTEMPT):
                    queue.give_back(session, records.find(session, job), why)


def write_end(database: Database, ledger: Ledger, write: Write, together: Together | None = None) -> None:
    """Write the ledger's last events and the end, in one transaction; nothing where the claim is lost.

    On a full disk, or while others hold the lock of the database, it is tried again with growing gaps, until a client
    asks to throw the job away: that is done with what is there already. One of several ends that are written together
    is only kept.
    """
    if together is not None:
        together.keep(ledger, write)
        return
    gap, began = FIRST_GAP, tracing.clock()
    while True:
        try:
            with database.transaction() as session:
                end = _write(session, ledger, write)
            _tell(ledger, began, end)
            return
        except (CannotWrite, OperationalError) as error:
            if isinstance(error, OperationalError) and not is_busy(error):
                raise
            log.warning("job %s cannot write its end, trying again: %s", ledger.job, getattr(error, "orig", error))
        if _is_cancelled(database, ledger.job, gap) and _throw_away(database, ledger):
            return
        gap = min(2 * gap, LONGEST_GAP)


def _write(session: Session, ledger: Ledger, write: Write) -> End | None:
    """Write the last events and the end; None, and nothing, where the claim is lost."""
    wishes = ledger.flush(session)
    return None if wishes is None else write(session, wishes.asked)


def _tell(ledger: Ledger, began: int, end: End | None) -> None:
    if end is not None:
        tracing.passed("job.end", began, ledger.trace, end.error, job=ledger.job, state=end.state)


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
        if claims.write(session, ledger.job, ledger.attempt):
            queue.end(session, records.find(session, ledger.job), State.CANCELLED)

    try:
        database.write_urgently(end)
    except (CannotWrite, OperationalError):
        return False
    return True


def reason_of(
    job: str, error: Exception, plan: Plan, trained: tuple[Training, Network] | None, memory: int | None = None
) -> JobError:
    """Return the reason for a job's failure, as a client reads it; its worker may use `memory` bytes."""
    epoch = None
    match error:
        case Diverged() if trained is not None:
            training, network = trained
            rates = plan.largest_stable_rate, plan.best_rate
            largest, best = (None if rate is None else rate.value for rate in rates)
            code, epoch = "diverged", error.epoch
            what_helps = help_for_diverged(training.recipe, network, epoch, largest, best)
            detail = f"{error.detail[:1].upper()}{error.detail[1:]}. {what_helps}"
        case DescentError():
            code, detail = error.code, error.detail
        case MemoryError():
            limit = "has" if memory is None else f"may use (DESCENT_WORKER_MEMORY: {memory:,} bytes)"
            code, detail = "out_of_memory", f"The training needs more memory than its worker {limit}. {LESS_MEMORY}"
        case _:
            log.error("job %s broke off", job, exc_info=error)
            code = "internal_error"
            detail = f"The training broke off: {type(error).__name__}. The log of the worker has more."
    return JobError(code, detail, epoch)
