"""The course of sweeps: losses of trials that rest are noted, the best go on, and the end is written.

Any replica may do this, at any time and again: each move is one transaction that finds the sweep as it stands.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.errors import DescentError
from service.jobs import records as jobs
from service.jobs.log import records as log_of_jobs
from service.jobs.log.records import Happening
from service.jobs.reports import records as reports
from service.jobs.states import State
from service.learning.training.recipe import Monitored
from service.sweeps import records
from service.sweeps.ending import end
from service.sweeps.records import Standing, SweepRecord
from service.sweeps.rungs import Climber, last_promoted, promoted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moves:
    """Moves that are due in a sweep."""

    to_note: Sequence[Standing] = ()
    """Trials whose loss at their place of rest is not yet noted."""
    to_promote: Sequence[Standing] = ()
    is_over: bool = False
    """Whether no trial has anything left to do."""

    def __bool__(self) -> bool:
        return bool(self.to_note or self.to_promote or self.is_over)


def conduct(database: Database) -> None:
    """Make the moves that are due in all sweeps; one that cannot be moved holds up no other, nor the queue."""
    if not records.any_running(database):
        return
    with database.reading() as session:
        running = records.running(session)
    for sweep in running:
        try:
            if _is_due(database, sweep):
                with database.transaction() as session:
                    _move(session, records.find(session, sweep, lock=True))
        except (SQLAlchemyError, DescentError) as error:  # busy or full: the next look is near
            log.warning("sweep %s could not be moved, trying again: %s", sweep, getattr(error, "orig", error))
        except Exception:
            log.exception("sweep %s could not be moved", sweep)


def _is_due(database: Database, sweep: str) -> bool:
    """Whether a sweep has moves to make; to look takes no turn among writers."""
    with database.reading() as session:
        return bool(moves(records.find(session, sweep), records.standings(session, sweep)))


def moves(sweep: SweepRecord, standings: Sequence[Standing]) -> Moves:
    """Return what is due: first losses are noted, then trials go on, and where none can, the sweep is over."""
    if sweep.state != "running":
        return Moves()
    to_note = [each for each in standings if _is_to_note(each, sweep)]
    if to_note:
        return Moves(to_note)
    climbers = [_climber(each, sweep) for each in standings]
    chosen = [] if sweep.is_stopping else promoted(climbers, len(sweep.rungs))
    busy = any(not (each.ended or each.rests) for each in standings)
    if not (chosen or busy or sweep.is_stopping) and sweep.rungs:
        last = last_promoted(climbers, len(sweep.rungs))
        chosen = [] if last is None else [last]
    if chosen:
        return Moves(to_promote=[standings[number] for number in chosen])
    return Moves(is_over=not busy)


def _is_to_note(standing: Standing, sweep: SweepRecord) -> bool:
    noted = len(standing.trial.losses)
    if standing.ended:
        return noted < max(1, len(sweep.rungs))
    return standing.rests and noted < sum(rung <= standing.epochs_done for rung in sweep.rungs)


def _climber(standing: Standing, sweep: SweepRecord) -> Climber:
    losses = [math.inf if loss is None else loss for loss in standing.trial.losses]
    rests = standing.rests
    return Climber(standing.trial.number, losses, climbs=not rests, ended=standing.ended, waits=standing.waits)


def _move(session: Session, sweep: SweepRecord) -> None:
    """Make all moves that are due, one after the other: noted losses let others follow."""
    while due := moves(sweep, records.standings(session, sweep.id)):
        for standing in due.to_note:
            _note(session, sweep, standing)
        for standing in due.to_promote:
            _promote(session, sweep, standing)
        if due.is_over and end(session, sweep, records.standings(session, sweep.id)):
            return
        session.flush()


def _note(session: Session, sweep: SweepRecord, standing: Standing) -> None:
    """Keep the loss of a trial at its place of rest; one that has ended has it at all rungs to come."""
    loss = monitored_loss(session, standing.job, sweep.monitor)
    trial, left = standing.trial, max(1, len(sweep.rungs)) - len(standing.trial.losses)
    trial.losses = [*trial.losses, *[loss] * (left if standing.ended else 1)]


def monitored_loss(session: Session, job: str, monitor: Monitored) -> float | None:
    """Return the loss that a sweep compares, of the parameters that a job has, or would have, as its result; None where
    it is not finite, or the job failed or was cancelled.
    """
    record = jobs.find(session, job)
    if record.state in (State.FAILED, State.CANCELLED):
        return None
    if record.recipe.keep == "best" and record.best_of == monitor:
        return record.best_loss
    if record.state == State.SUCCEEDED and monitor == "train_loss":
        return record.final_loss
    last = reports.read(session, job, record.epochs_done, 1).to_json()
    loss = last[0][monitor] if last else None
    return loss if loss is not None and math.isfinite(loss) else None


def _promote(session: Session, sweep: SweepRecord, standing: Standing) -> None:
    """Let a trial go on to the next rung, and say so in its log, by which the course of the sweep can be read."""
    rung = len(standing.trial.losses)
    reached = sum(len(each.trial.losses) >= rung for each in records.standings(session, sweep.id))
    record = jobs.find(session, standing.job, lock=True)
    record.rest_after = sweep.rungs[rung] if rung + 1 < len(sweep.rungs) else None
    detail = (
        f"Among the {reached} trials of sweep {sweep.name} that have come to epoch {standing.rest_after} by now it is "
        f"one of the best: it goes on to epoch {sweep.rungs[rung]}."
    )
    log_of_jobs.add(session, record.id, Happening.PROMOTED, detail, epoch=record.epochs_done)
    record.state = State.QUEUED
