"""Events of a training that are noted and not yet in the database."""

from dataclasses import dataclass, field
from typing import Any, Self

from sqlalchemy.orm import Session

from service.learning.training.changes import Change
from service.learning.training.events import BackedOff, EpochReport, Refit
from service.learning.training.training import Training
from service.telemetry import records as totals

MOST_REPORTS = 20_000
"""Reports that wait to be written; a training that makes them faster than the database takes them is held up."""
MOST_BYTES = 32 << 20
"""Likewise bytes of the parameters that are kept on the way."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a training, and its place: epochs done, with the fraction of the next one."""

    state: bytes
    place: float


@dataclass
class Noted:
    """Reports, parameters to keep, and entries of the log, each in its order."""

    reports: list[EpochReport] = field(default_factory=list)
    """For a verification, which writes none, the newest alone."""
    points: dict[int, bytes] = field(default_factory=dict)
    """The parameters to keep, by epoch; written together with the epoch's report."""
    entries: list[Change | BackedOff | Refit] = field(default_factory=list)
    """Written before any report that follows them, or with it."""

    def copy(self) -> Self:
        return type(self)(list(self.reports), dict(self.points), list(self.entries))

    def much(self) -> bool:
        """Whether the training is to wait until some of this is written."""
        points = self.points
        return len(self.reports) >= MOST_REPORTS or bool(points and sum(map(len, points.values())) >= MOST_BYTES)

    def columns(self, training: Training | None) -> dict[str, Any]:
        """Return what the job's row tells of its training by now."""
        if not self.reports or training is None:
            return {}
        columns: dict[str, Any] = {"epochs_done": self.reports[-1].epoch, "initial_loss": training.initial_loss}
        if training.best is not None:
            columns["best_epoch"], columns["best_loss"] = training.best
            columns["best_of"] = training.monitored
        return columns

    def count(self, session: Session, last_epoch: int, rows: int) -> None:
        """Add the epochs behind the last one written, and the rows that they read, to the totals."""
        if self.reports:
            epochs = self.reports[-1].epoch - max(last_epoch, 0)
            totals.count(session, epochs=epochs, rows=epochs * rows)

    def drop(self, written: Self) -> None:
        """Forget what was written: an earlier copy of this."""
        for epoch in written.points:
            del self.points[epoch]
        del self.entries[: len(written.entries)]
        if written.reports:
            last = written.reports[-1].epoch
            self.reports = [each for each in self.reports if each.epoch > last]
