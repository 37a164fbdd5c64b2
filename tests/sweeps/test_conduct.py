"""The course of sweeps, without a server."""

from collections.abc import Sequence

import pytest

from service.database.database import Database
from service.jobs.states import State
from service.sweeps import conduct, records
from service.sweeps.conduct import Moves
from service.sweeps.records import Standing, SweepPlan, SweepRecord, TrialRecord


def running_sweep(id: str) -> SweepRecord:
    """Return a sweep without a trial, which is to end at the next look."""
    plan = SweepPlan(0, 0, 0.0, 0)
    given = {"recipe": {}, "vary": {}, "method": "grid", "monitor": "train_loss", "seed": 0, "rungs": [], "advice": []}
    return SweepRecord(id=id, name=id, dataset_id="dst_1", trials=0, plan=plan, **given)


def test_a_sweep_whose_moves_cannot_be_told_holds_up_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        session.add_all([running_sweep("swp_1"), running_sweep("swp_2")])

    def moves(sweep: SweepRecord, standings: Sequence[Standing]) -> Moves:
        if sweep.id == "swp_1":
            raise ValueError("no moves")
        return known(sweep, standings)

    known = conduct.moves
    monkeypatch.setattr(conduct, "moves", moves)
    conduct.conduct(database)
    with database.reading() as session:
        assert records.find(session, "swp_1").state == "running"
        assert records.find(session, "swp_2").state == "failed"


def test_a_trial_whose_worker_was_lost_holds_up_no_other() -> None:
    sweep = running_sweep("swp_1")
    sweep.state, sweep.is_stopping, sweep.rungs = "running", False, [1, 2]
    waiting = TrialRecord(sweep_id="swp_1", number=4, job_id="job_4", varied={}, losses=[])

    def chosen(losses: int) -> list[str]:
        resting = [
            Standing(TrialRecord(number=number, losses=[float(number)]), f"job_{number}", State.PAUSED, 1, 1)
            for number in range(4)
        ]
        trials = [*resting, Standing(waiting, "job_4", State.QUEUED, 0, 1, losses)]
        return [each.job for each in conduct.moves(sweep, trials).to_promote]

    assert (chosen(0), chosen(1)) == ([], ["job_0"])
