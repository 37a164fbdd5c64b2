"""Sweeps as clients read them."""

import math
from collections.abc import Sequence

from sqlalchemy.orm import Session

from service.database.database import Database
from service.jobs.states import State
from service.sweeps import records
from service.sweeps.conduct import monitored_loss
from service.sweeps.ending import loss_of
from service.sweeps.records import Standing, SweepRecord
from service.sweeps.schemas import BestTrial, Ranked, Sweep


def show(database: Database, reference: str) -> Sweep:
    """Return the present state of a sweep.

    Raises:
        NotFound: there is no such sweep.
    """
    with database.reading() as session:
        return sweep_of(session, records.find(session, reference))


def page(database: Database, limit: int, after: str | None) -> tuple[list[Sweep], str | None]:
    """Sweeps, newest first."""
    with database.reading() as session:
        found, following = records.page(session, limit, after)
        return [sweep_of(session, each) for each in found], following


def sweep_of(session: Session, sweep: SweepRecord) -> Sweep:
    """Return a sweep with its trials, the least loss first."""
    standings = records.standings(session, sweep.id)
    ranked = _ranked(session, sweep, standings)
    columns = {name: getattr(sweep, name) for name in Sweep.model_fields if hasattr(sweep, name)}
    return Sweep.model_validate(
        {
            **columns,
            "asked": "stop" if sweep.is_stopping and sweep.ended_at is None else None,
            "model": sweep.model_id,
            "dataset": sweep.dataset_id,
            "done": sum(each.ended or each.rests for each in standings),
            "best": _best(sweep, ranked),
            "ranked": ranked,
        }
    )


def _ranked(session: Session, sweep: SweepRecord, standings: Sequence[Standing]) -> list[Ranked]:
    shown = [
        Ranked(
            job=each.job,
            varied=each.trial.varied,
            loss=_loss_so_far(session, sweep, each),
            epochs_done=each.epochs_done,
            state=each.state,
        )
        for each in standings
    ]
    return sorted(shown, key=lambda each: math.inf if each.loss is None else each.loss)


def _loss_so_far(session: Session, sweep: SweepRecord, standing: Standing) -> float | None:
    if standing.state == State.RUNNING and standing.epochs_done:
        return monitored_loss(session, standing.job, sweep.monitor)
    return loss_of(standing.trial)


def _best(sweep: SweepRecord, ranked: Sequence[Ranked]) -> BestTrial | None:
    """Return the trial that became a version, or the one that is ahead."""
    if sweep.version is None and (not ranked or ranked[0].loss is None):
        return None
    job = ranked[0].job if sweep.version is None or sweep.best_job is None else sweep.best_job
    return BestTrial(job=job, model=sweep.model_id, version=sweep.version)
