"""Jobs whose second training, that of all rows, is stopped, changed, rests, or loses its worker."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from service.engine import ledger as ledgers
from service.engine.ledger import Ledger
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import queue, records, verifications
from service.jobs.log import records as log
from service.jobs.states import Verb, Wish
from service.jobs.steering import changes, verbs
from service.learning.training.events import EpochReport, Progress, Refit
from service.models import parameter_bytes
from service.models import records as models
from tests.support.engine import result, shown
from tests.support.learning.changing import at_every_block
from tests.support.serving import wait_for

Post = Callable[..., str]
Act = Callable[[Ledger], object]
RECIPE: dict[str, Any] = {
    "epochs": 12,
    "batch_size": 2,
    "optimiser": {"rule": "Adam", "eta": 0.1},
    "validation": {"fraction": 0.34},
    "keep": "best",
    "refit": True,
    "from_version": 0,
}
BEGUN = ("refit_begun", 12, "All 6 rows train anew, for 12 epochs, as many as were best.")


class Killed(BaseException):
    """The end of a worker at once, which writes nothing any more."""


@pytest.fixture
def in_second(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], list[float]]:
    """Let something happen once to a job in the midst of its second training; the list has the shares that are told."""
    at_every_block(monkeypatch)
    for name in ("FLUSH", "FIRST_CHECKPOINT", "CHECKPOINT", "COST_FACTOR"):
        monkeypatch.setattr(ledgers, name, 0.0)
    note = Ledger.note

    def arrange(act: Act) -> list[float]:
        shares, begun, done = list[float](), set[str](), set[str]()

        def noting(self: Ledger, event: EpochReport | Progress) -> None:
            note(self, event)
            shares.append(self._progress)
            if isinstance(event, Refit):
                begun.add(self.job)
            elif isinstance(event, Progress) and self.job in begun and event.fraction > 0.4 and not done:
                done.add(self.job)
                act(self)

        monkeypatch.setattr(Ledger, "note", noting)
        return shares

    return arrange


def told(workspace: Workspace, job: str) -> list[tuple[str, int | None, str]]:
    """The log of a job but for its claims and what was asked."""
    with workspace.database.reading() as session:
        entries = log.page(session, job, 0, 100)
        return [(each.event, each.epoch, each.detail) for each in entries if each.event not in ("asked", "claimed")]


def ask(workspace: Workspace, verb: Verb) -> Act:
    def act(ledger: Ledger) -> None:
        with workspace.database.transaction() as session:
            verbs.ask(session, ledger.job, verb)
        wait_for(lambda: ledger.asked is not None)

    return act


def change_rate(workspace: Workspace) -> Act:
    def act(ledger: Ledger) -> None:
        with workspace.database.transaction() as session:
            changes.change(session, ledger.job, Wish(0.01, None), None)
        wait_for(lambda: ledger.pending is not None)

    return act


def verify(workspace: Workspace, job: str) -> None:
    with workspace.database.transaction() as session:
        again = verifications.enqueue(session, job).id
    work_on(workspace, again, f"again {job}")
    outcome = shown(workspace, again).verification
    assert outcome is not None
    assert outcome.identical


@pytest.mark.parametrize(
    ("act", "ended_by", "entry", "reason"),
    [
        (lambda workspace: ask(workspace, Verb.STOP), "stop", "stopped", "the training was stopped"),
        (change_rate, "epochs", "rate_changed", "the training was changed on its way"),
    ],
)
def test_the_best_parameters_stay_where_the_second_training_is_cut_short(
    workspace: Workspace,
    post: Post,
    in_second: Callable[[Act], list[float]],
    act: Callable[[Workspace], Act],
    ended_by: str,
    entry: str,
    reason: str,
) -> None:
    in_second(act(workspace))
    job = post(**RECIPE)
    work_on(workspace, job, "a")
    ended = shown(workspace, job)
    assert (ended.state, ended.ended_by, ended.progress, ended.best_epoch) == ("succeeded", ended_by, 1.0, 12)
    with workspace.database.reading() as session:
        best = parameter_bytes.from_bytes(models.point(session, ended.model_id, job, 12).parameters)
    assert result(workspace, job)[0] == parameter_bytes.to_bytes(best)
    begun, changed, dropped = told(workspace, job)
    assert (begun, changed[0]) == (BEGUN, entry)
    assert dropped == ("refit_dropped", 12, f"The parameters of epoch 12 stay: {reason}.")
    verify(workspace, job)


def test_a_second_training_at_rest_or_killed_comes_to_the_same_bytes(
    workspace: Workspace, post: Post, in_second: Callable[[Act], list[float]]
) -> None:
    shares = in_second(lambda ledger: None)
    undisturbed = post(**RECIPE)
    work_on(workspace, undisturbed, "a")
    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert len({share for share in shares if share > 0.4}) > 5
    assert told(workspace, undisturbed) == [BEGUN]

    def kill(ledger: Ledger) -> None:
        def is_kept() -> bool:
            with workspace.database.reading() as session:
                return b"refit." in (records.checkpoint(session, ledger.job) or b"")

        wait_for(is_kept)
        raise Killed

    def resume(job: str) -> None:
        with workspace.database.transaction() as session:
            verbs.ask(session, job, Verb.RESUME)

    def call_back(job: str) -> None:
        with workspace.database.transaction() as session:
            assert set(queue.requeue_lost(session, all_running=True)) == {job}

    for act, bring_back, entry in ((ask(workspace, Verb.PAUSE), resume, "paused"), (kill, call_back, "worker_lost")):
        in_second(act)
        job = post(**RECIPE)
        with suppress(Killed):
            work_on(workspace, job, "b")
        before = shown(workspace, job).progress
        assert 0.4 < before < 1
        bring_back(job)
        shares = in_second(lambda ledger: None)
        work_on(workspace, job, "c")
        assert shares == sorted([before, *shares])[1:]
        assert result(workspace, job) == result(workspace, undisturbed)
        assert [each[0] for each in told(workspace, job)] == ["refit_begun", entry, *["resumed"][: entry == "paused"]]
        assert shown(workspace, job).progress == 1.0
