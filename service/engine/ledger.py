"""The writing of a running job's reports, beats and checkpoints, by one thread of the worker beside the training."""

import logging
import math
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from types import TracebackType
from typing import Any, Self

from safetensors.numpy import save
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.engine.noted import Checkpoint, Noted
from service.engine.workspace import peak_memory
from service.errors import CannotWrite, Unavailable
from service.jobs import queue, records
from service.jobs.queue import claims, yielding
from service.jobs.records import JobRecord
from service.jobs.reports import records as reports
from service.jobs.reports.packing import reports_of
from service.jobs.states import FIRST_GAP, LONGEST_GAP, Asked, Wish
from service.jobs.steering.changes import write_entry
from service.learning.training.changes import Change
from service.learning.training.events import BackedOff, EpochReport, Progress, Refit, place_of
from service.learning.training.refit import share_done
from service.learning.training.training import Training
from service.models import parameter_bytes
from service.models import records as models
from service.telemetry.logs import warn
from service.telemetry.traces import tracing

log = logging.getLogger(__name__)

FLUSH = 0.25
"""Seconds between writes while there is something to write."""
FLUSH_FACTOR = 100
"""Multiple of the last write's time that passes before the next, if no more than `BEAT`: 1 % of it goes into them."""
LOOK = 0.025
"""Seconds between looks whether a short job waits for the worker."""
BEAT = 1.0
"""Seconds between writes at the most."""
FIRST_CHECKPOINT, CHECKPOINT = 1.5, 2.0
COST_FACTOR = 20
"""Multiple of the last checkpoint's cost that passes before the next: at most 5 % of the time goes into them."""


class Ledger:
    """A writer of the training's events to the database, under the claim of one attempt.

    For a job that verifies another it writes progress alone: the other has written what they both pass through.
    `lost` means that the claim is gone: nothing can be written any more. `asked` is a client's request, `pending` are
    changes that a client wishes, `yields` tells that the worker is to go to a short job, and `time_is_over` that the
    recipe's `max_seconds` have passed; `changed` tells that a change has taken hold.
    """

    def __init__(
        self,
        database: Database,
        record: JobRecord,
        attempt: int,
        last_epoch: int | None,
        backoffs: int = 0,
        trace: str | None = None,
    ) -> None:
        self.job = record.id
        self.attempt, self.trace = attempt, trace
        self.lost = self.changed = False
        self.asked: str | None = record.asked
        self.pending: Wish | None = record.pending
        self.yields, self.rest_after = False, record.rest_after
        self._database = database
        self._training: Training | None = None
        self._began, self._seconds_before = time.monotonic(), record.seconds
        self._max_seconds = math.inf if record.max_seconds is None else record.max_seconds
        self.time_is_over = self._seconds_before > self._max_seconds
        self._verifies = record.verifies is not None
        if self._verifies:
            last_epoch = record.epochs_done or None
        self._last_epoch = self._begun_behind = -1 if last_epoch is None else last_epoch
        """The last epoch written; epochs repeated after a loss of the worker are not written again."""
        self._noted = Noted()
        self._backoffs = backoffs
        """Returns to better parameters that the log has already."""
        self._model = record.model_id
        self._keep_every: int | None = None if self._verifies else record.recipe.keep_every
        self._progress = record.progress
        self._checkpoint: Checkpoint | None = None
        self._kept_place = 0.0
        """The place of the last checkpoint kept: at first the one that the training continues from."""
        self._next_checkpoint = time.monotonic() + FIRST_CHECKPOINT
        self._lock = threading.Condition()
        self._closing = False
        self._gap = 0.0
        """Seconds until the next try where the last write found the disk full: the training is held up."""
        self._pause = FLUSH
        """Seconds from the last write to the next."""
        self._thread = self._made_thread()

    def _made_thread(self) -> threading.Thread:
        return threading.Thread(target=self._keep_writing, name=f"ledger-{self.job}", daemon=True)

    def watch(self, training: Training) -> None:
        """Note the events of this training from now on; before that there are beats alone."""
        self._kept_place = float(training.epochs_done)
        self._training = training

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the thread; unwritten events are left for a last `flush`."""
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def reopen(self) -> None:
        """Go on after `close`, where the end could not be written yet."""
        self._closing = False
        self._thread = self._made_thread()
        self._thread.start()

    def note(self, event: EpochReport | Progress) -> None:
        """Take an event; called between two steps of the training, the only moment when its state may be read."""
        training = self._training
        assert training is not None, "events come from a training"
        checkpoint = None
        began = time.monotonic()
        if began >= self._next_checkpoint:
            checkpoint = Checkpoint(save(training.state()), place_of(event))
            cost = time.monotonic() - began
            self._next_checkpoint = time.monotonic() + max(CHECKPOINT, COST_FACTOR * cost)
        with self._lock:
            if isinstance(event, EpochReport) and event.epoch > self._last_epoch:
                if self._verifies:
                    self._noted.reports.clear()
                self._noted.reports.append(event)
                if self._keep_every is not None and event.epoch and event.epoch % self._keep_every == 0:
                    self._noted.points[event.epoch] = parameter_bytes.to_bytes(training.parameters)
            elif isinstance(event, Refit) or (isinstance(event, BackedOff) and event.number > self._backoffs):
                self._noted.entries.append(event)
            self._progress = max(self._progress, share_done(training, event))
            self._checkpoint = checkpoint or self._checkpoint
            while (self._gap or self._noted.much()) and not (self.lost or self.asked):
                self._lock.notify_all()
                self._lock.wait(FLUSH)

    def must_end_within(self, seconds: float) -> bool:
        """Wait, and return as soon as it is known that the claim was lost or a client takes the job away."""
        with self._lock:
            return self._lock.wait_for(lambda: self.lost or self.asked in (Asked.CANCEL, Asked.PAUSE), seconds)

    @property
    def wished(self) -> bool:
        """Whether somebody wishes something of the training."""
        return self.asked is not None or self.pending is not None or self.time_is_over or self.yields

    @property
    def caught_up(self) -> bool:
        """Whether the training has passed all that workers before this one have reported."""
        return self._training is not None and self._training.epochs_done >= self._begun_behind

    def record(self, change: Change) -> None:
        """Take a change that has just taken hold; it is written before any report that follows it, or with it."""
        with self._lock:
            self._noted.entries.append(change)
            self.pending, self.changed = None, True

    def keep_place(self) -> None:
        """Write what was noted and a checkpoint of the present place, once the thread has ended.

        Where that fails, an older checkpoint serves: what follows it is computed again.
        """
        if self._training is None:
            return
        self._checkpoint = Checkpoint(save(self._training.state()), float(self._training.epochs_done))
        with suppress(CannotWrite, SQLAlchemyError):
            self._beat()

    def flush(self, session: Session) -> claims.Wishes | None:
        """Write the noted events into an open transaction; None, and nothing, where the claim is lost."""
        with self._lock:
            return self._write(session, self._noted)

    def _write(self, session: Session, noted: Noted) -> claims.Wishes | None:
        columns = {"progress": self._progress, "peak_memory": peak_memory(), "seconds": self._seconds}
        columns |= noted.columns(self._training)
        if (wishes := claims.write(session, self.job, self.attempt, **columns)) is None:
            self.lost = True
            return None
        noted.count(session, self._last_epoch, 0 if self._training is None else self._training.rows)
        if noted.reports and not self._verifies:
            reports.add(session, self.job, reports_of(noted.reports))
        for epoch, vector in noted.points.items():
            models.add_point(session, self.job, epoch, self._model, vector)
        for entry in noted.entries:
            write_entry(session, self.job, entry)
        return queue.wishes(session, self.job) if noted.entries else wishes  # an entry has settled what was pending

    @property
    def _seconds(self) -> float:
        """Seconds that workers had the job, those before this one included."""
        return self._seconds_before + time.monotonic() - self._began

    def _keep_writing(self) -> None:
        written_at = time.monotonic()
        while self._waits_for_the_next_flush(written_at) and not self.lost:
            try:
                began = time.monotonic()
                self._beat()
                self._gap, self._pause = 0.0, min(max(FLUSH, FLUSH_FACTOR * (time.monotonic() - began)), BEAT)
            except CannotWrite as error:
                self._rest(error)
            except Exception as error:  # noqa: BLE001 - what was not written is not forgotten: the next round has it all
                warn(log, "job %s cannot beat, trying again: %s", self.job, error)
                with self._lock:
                    self._lock.wait_for(lambda: self._closing, FLUSH)
            else:
                written_at = time.monotonic()
        with self._lock:
            self._lock.notify_all()

    def _rest(self, error: CannotWrite) -> None:
        """Hold the training up until the next try; a client's request is still noticed meanwhile."""
        log.warning("job %s rests: %s", self.job, error)
        self._gap = min(max(2 * self._gap, FIRST_GAP), LONGEST_GAP)
        until = time.monotonic() + self._gap
        while not self._closing and (left := until - time.monotonic()) > 0:
            with suppress(SQLAlchemyError), self._database.reading() as session:
                asked, pending = queue.wishes(session, self.job)
                self.asked, self.pending = asked, None if self._noted.entries else pending
            with self._lock:
                self._lock.notify_all()
                self._lock.wait_for(lambda: self._closing, min(left, BEAT))

    def _waits_for_the_next_flush(self, written_at: float) -> bool:
        """Wait for the next beat, or until there is something to write and the pause is over; False at the end."""
        while not (self._closing or self._noted.much()) and (left := self._seconds_left(written_at)) > 0:
            with self._lock:
                self._lock.wait_for(lambda: self._closing or self._noted.much(), min(left, LOOK))
            with suppress(SQLAlchemyError, Unavailable):
                self.yields = self.yields or yielding.is_asked(self._database, self.job)
        return not self._closing

    def _seconds_left(self, written_at: float) -> float:
        """Return the seconds until the next write, by what is noted so far."""
        return written_at + (self._pause if self._noted.reports or self._checkpoint else BEAT) - time.monotonic()

    def _beat(self) -> None:
        with self._lock:
            noted, checkpoint = self._noted.copy(), self._checkpoint
        with self._told_of(noted), self._database.transaction() as session:
            if (wishes := self._write(session, noted)) is None:
                return
        asked, pending = wishes
        self.asked, self.time_is_over = asked, self._seconds > self._max_seconds
        with self._lock:
            self._noted.drop(noted)
            self.pending = None if self._noted.entries else pending
            self._checkpoint = None if self._checkpoint is checkpoint else self._checkpoint
            if noted.reports:
                self._last_epoch = noted.reports[-1].epoch
            self._lock.notify_all()
        if checkpoint is not None:
            self._save(checkpoint)

    def _told_of(self, noted: Noted) -> AbstractContextManager[object]:
        """Tell of the writing of reports; nothing of beats alone, which come every second."""
        count = len(noted.reports)
        return tracing.step("job.flush", self.trace, job=self.job, reports=count) if count else nullcontext()

    def _save(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint, in a transaction of its own: it may be too large for the database, and beats go on.

        One that is further on than the last shows that losses of workers do not hold the job up for good.
        """
        forgiven: dict[str, Any] = {"losses_since_checkpoint": 0, "ends_of_workers": None}
        advanced = checkpoint.place > self._kept_place
        try:
            told = tracing.step("job.checkpoint", self.trace, job=self.job, bytes=len(checkpoint.state))
            with told, self._database.transaction() as session:
                if claims.write(session, self.job, self.attempt, **(forgiven if advanced else {})):
                    records.save_checkpoint(session, self.job, checkpoint.state)
            self._kept_place = max(self._kept_place, checkpoint.place)
        except CannotWrite:
            with self._lock:
                self._checkpoint = self._checkpoint or checkpoint
            raise
        except Exception as error:  # noqa: BLE001 - the next one is a new try
            warn(log, "job %s cannot keep its checkpoint: %s", self.job, error)
