"""Jobs that are stopped, get another rate or rest some layers on their way, and are repeated to the byte."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from service.engine.ledger import Ledger
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.errors import Conflict
from service.jobs import queue, records, verifications
from service.jobs.log import records as log
from service.jobs.reports import records as reports
from service.jobs.states import Verb, Wish
from service.jobs.steering import changes, verbs
from service.learning.training.events import EpochReport, Progress
from service.models import parameter_bytes
from tests.support.engine import result, shown

Post = Callable[..., str]
AtEpoch = Callable[[int, Callable[[Session, str], object]], None]

ADAM = {"rule": "Adam", "eta": 0.1}
RECIPES: dict[str, dict[str, Any]] = {
    "one batch": {"optimiser": ADAM, "path": "batches"},
    "batches drawn anew": {"batch_size": 2, "shuffle": True, "optimiser": {"rule": "Momentum", "eta": 0.01}},
    "quadratic": {"optimiser": ADAM},
    "closed form": {"optimiser": {"rule": "Descent", "eta": 0.05}},
    "a schedule": {"schedule": {"name": "Exp", "start": 0.05, "decay": 0.99}},
    "standardised": {"standardise": True, "optimiser": ADAM, "batch_size": 4},
}
recipes = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())


def stop(session: Session, job: str) -> None:
    verbs.ask(session, job, Verb.STOP)


def wish(rate: float | None = None, frozen: tuple[str, ...] | None = None) -> Callable[[Session, str], None]:
    def ask(session: Session, job: str) -> None:
        changes.change(session, job, Wish(rate, frozen), None)

    return ask


def events(workspace: Workspace, job: str) -> list[tuple[str, int | None, int | None]]:
    """The log of a job but for what was asked, whose epoch depends on the last beat."""
    with workspace.database.reading() as session:
        entries = [entry for entry in log.page(session, job, 0, 100) if entry.event != "asked"]
        return [(entry.event, entry.epoch, entry.batch) for entry in entries]


def verify(workspace: Workspace, job: str) -> None:
    """Train a job again, and compare the bytes."""
    with workspace.database.transaction() as session:
        again = verifications.enqueue(session, job).id
    work_on(workspace, again, f"again {job}")
    verified = shown(workspace, again)
    assert verified.verification is not None, verified.error
    assert verified.verification.identical


@recipes
def test_a_stopped_job_keeps_what_it_has_learned(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, recipe: dict[str, Any]
) -> None:
    short = post(epochs=7, from_version=0, **recipe)
    work_on(workspace, short, "a")
    at_epoch(7, stop)
    job = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, job, "b")
    ended = shown(workspace, job)
    assert (ended.state, ended.ended_by, ended.epochs_done, ended.progress) == ("succeeded", "stop", 7, 1.0)
    assert result(workspace, job) == result(workspace, short)
    assert events(workspace, job) == [("claimed", None, None), ("stopped", 7, 0)]
    with workspace.database.transaction() as session:
        assert verbs.ask(session, job, Verb.STOP).ended_by == "stop"
    verify(workspace, job)


def test_a_stopped_job_keeps_the_best_where_its_recipe_does(
    workspace: Workspace, post: Post, at_epoch: AtEpoch
) -> None:
    recipe: dict[str, Any] = {"optimiser": {"rule": "Descent", "eta": 0.12}, "keep": "best", "from_version": 0}
    at_epoch(7, stop)
    job = post(epochs=30, **recipe)
    work_on(workspace, job, "a")
    ended = shown(workspace, job)
    assert (ended.state, ended.ended_by, ended.epochs_done) == ("succeeded", "stop", 7)
    assert ended.best_epoch is not None
    assert ended.best_epoch < 7
    assert ended.final_loss == pytest.approx(ended.best_loss, rel=1e-4)


@recipes
def test_a_change_of_rate_takes_hold_at_once_and_is_repeated_to_the_byte(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, recipe: dict[str, Any]
) -> None:
    at_epoch(7, wish(rate=0.002))
    job = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, job, "a")
    ended = shown(workspace, job)
    assert (ended.state, ended.epochs_done, ended.pending) == ("succeeded", 30, None)
    with workspace.database.reading() as session:
        rates = [report["rate"] for report in reports.read(session, job, 0, 100).to_json()]
    assert rates[8:] == [0.002] * 23
    assert rates[6] != 0.002
    assert events(workspace, job) == [("claimed", None, None), ("rate_changed", 7, 0)]
    replaced = [advice for advice in ended.advice if advice.code == "schedule_replaced"]
    assert len(replaced) == ("schedule" in recipe)
    verify(workspace, job)


def test_a_changed_rate_trains_as_another_job_from_there_would(
    workspace: Workspace, post: Post, at_epoch: AtEpoch
) -> None:
    recipe: dict[str, Any] = {"path": "batches", "optimiser": {"rule": "Descent", "eta": 0.05}}
    first = post(epochs=7, from_version=0, **recipe)
    work_on(workspace, first, "a")
    second = post(epochs=23, **recipe | {"optimiser": {"rule": "Descent", "eta": 0.002}})
    work_on(workspace, second, "b")
    at_epoch(7, wish(rate=0.002))
    job = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, job, "c")
    assert result(workspace, job)[0] == result(workspace, second)[0]


class Crash(BaseException):
    """The end of a worker."""


def crash_at_epoch_15(workspace: Workspace, job: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker begin a job and die once epoch 15 is written."""
    note = Ledger.note

    def dying(self: Ledger, event: EpochReport | Progress) -> None:
        note(self, event)
        if isinstance(event, EpochReport) and event.epoch == 15:
            self.close()
            self._beat()
            raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "note", dying)
        with pytest.raises(Crash):
            work_on(workspace, job, message)


@recipes
def test_a_worker_that_dies_after_a_change_costs_no_byte(
    workspace: Workspace,
    post: Post,
    at_epoch: AtEpoch,
    recipe: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_epoch(7, wish(rate=0.002))
    undisturbed = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, undisturbed, "a")
    job = post(epochs=30, from_version=0, **recipe)
    crash_at_epoch_15(workspace, job, "b", monkeypatch)
    assert shown(workspace, job).epochs_done == 15
    with workspace.database.transaction() as session:
        assert queue.lose(session, "b", None)
    work_on(workspace, job, "c")
    assert result(workspace, job) == result(workspace, undisturbed)
    assert [event for event, *_ in events(workspace, job)].count("rate_changed") == 1


def test_a_change_asked_of_a_waiting_job_takes_hold_when_it_begins(workspace: Workspace, post: Post) -> None:
    job = post(epochs=300_000, batch_size=1, optimiser={"rule": "Descent", "eta": 1e-6}, from_version=0)
    with workspace.database.transaction() as session:
        wish(rate=1e-7)(session, job)
        wish(frozen=())(session, job)
    assert shown(workspace, job).pending == Wish(1e-7, ())
    with workspace.database.transaction() as session:
        records.find(session, job).max_seconds = 0.5
    work_on(workspace, job, "a")
    ended = shown(workspace, job)
    assert (ended.state, ended.ended_by, ended.pending) == ("succeeded", "max_seconds", None)
    assert 0 < ended.epochs_done < 300_000
    kinds = [event for event, *_ in events(workspace, job)]
    assert kinds == ["claimed", "rate_changed", "frozen_changed", "stopped"]


@recipes
def test_a_change_asked_of_a_waiting_job_holds_from_its_first_epoch_on(
    workspace: Workspace, post: Post, recipe: dict[str, Any]
) -> None:
    job = post(epochs=7, from_version=0, **recipe)
    with workspace.database.transaction() as session:
        wish(rate=0.002)(session, job)
    work_on(workspace, job, "a")
    with workspace.database.reading() as session:
        rates = [report["rate"] for report in reports.read(session, job, 0, 100).to_json()]
    assert rates[1:] == [0.002] * 7
    assert events(workspace, job) == [("claimed", None, None), ("rate_changed", 0, 0)]
    verify(workspace, job)


@recipes
def test_what_is_asked_of_a_paused_job_takes_hold_where_it_rests(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, recipe: dict[str, Any]
) -> None:
    at_epoch(7, lambda session, job: verbs.ask(session, job, Verb.PAUSE))
    job = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, job, "a")
    with workspace.database.transaction() as session:
        wish(rate=0.002)(session, job)
        stop(session, job)
    work_on(workspace, job, "b")
    ended = shown(workspace, job)
    assert (ended.state, ended.ended_by, ended.epochs_done) == ("succeeded", "stop", 7)
    told = [("claimed", 7, None), ("rate_changed", 7, 0), ("stopped", 7, 0)]
    assert events(workspace, job) == [("claimed", None, None), ("paused", 7, None), *told]
    verify(workspace, job)


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.CANCEL])
def test_a_job_that_is_about_to_end_takes_no_changes(workspace: Workspace, post: Post, verb: Verb) -> None:
    job = post()
    with workspace.database.transaction() as session:
        queue.claim(session, job, "a")
        verbs.ask(session, job, verb)
    with workspace.database.transaction() as session, pytest.raises(Conflict, match=f"asked to {verb}"):
        wish(rate=0.002)(session, job)
    assert shown(workspace, job).pending is None


def test_a_worker_that_is_known_to_be_lost_by_the_next_one_is_in_the_log(workspace: Workspace, post: Post) -> None:
    job = post()
    for _ in range(2):
        with workspace.database.transaction() as session:
            queue.claim(session, job, "a")
    assert events(workspace, job) == [("claimed", None, None), ("worker_lost", 0, None), ("claimed", 0, None)]


def test_a_job_that_would_diverge_backs_off_and_says_so(workspace: Workspace, post: Post) -> None:
    recipe: dict[str, Any] = {"optimiser": {"rule": "Descent", "eta": 0.3}, "from_version": 0}
    job = post(epochs=200, backoff={"factor": 0.2, "tries": 2}, **recipe)
    work_on(workspace, job, "a")
    ended = shown(workspace, job)
    assert (ended.state, ended.epochs_done) == ("succeeded", 200)
    assert ended.final_loss is not None
    assert ended.final_loss < 1
    with workspace.database.reading() as session:
        entries = log.page(session, job, 0, 10)
    assert [entry.event for entry in entries] == ["claimed", "backed_off"]
    assert "epoch 0 with the rate 0.06" in entries[1].detail
    verify(workspace, job)


def test_a_stop_waits_until_all_that_was_reported_is_done_again(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(epochs=30, from_version=0, path="batches")
    crash_at_epoch_15(workspace, job, "a", monkeypatch)
    with workspace.database.transaction() as session:
        queue.lose(session, "a", None)
        verbs.ask(session, job, Verb.STOP)
    assert (shown(workspace, job).state, shown(workspace, job).asked) == ("queued", "stop")
    monkeypatch.setattr("service.engine.ledger.FLUSH", 0.01)
    monkeypatch.setattr("service.engine.ledger.FLUSH_FACTOR", 1)
    work_on(workspace, job, "b")
    ended = shown(workspace, job)
    assert ended.state == "succeeded"
    assert ended.epochs_done >= 15


def test_frozen_layers_of_a_recipe_stay_as_they_are(workspace: Workspace, post: Post) -> None:
    job = post(epochs=5, from_version=0)
    with pytest.raises(Exception, match="layers"):
        post(epochs=5, from_version=0, frozen=["layers.7"])
    work_on(workspace, job, "a")
    vector = parameter_bytes.from_bytes(result(workspace, job)[0])
    assert np.isfinite(vector).all()
