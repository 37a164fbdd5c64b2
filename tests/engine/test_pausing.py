"""A job that pauses goes on to the same bytes, and its worker is free meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from service.engine.ledger import Ledger
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.errors import Conflict
from service.jobs import operations as jobs
from service.jobs import queue, records
from service.jobs.states import Verb
from service.jobs.steering import verbs
from service.models.left import records as left_parameters
from tests.support.engine import result, shown

Post = Callable[..., str]
AtEpoch = Callable[[int, Callable[[Session, str], object]], None]

RECIPES = {
    "one batch": {"optimiser": {"rule": "Adam", "eta": 0.1}, "path": "batches"},
    "batches drawn anew": {"batch_size": 2, "shuffle": True, "optimiser": {"rule": "Momentum", "eta": 0.01}},
    "quadratic": {"optimiser": {"rule": "Nesterov", "eta": 0.01}},
    "closed form": {"optimiser": {"rule": "Descent", "eta": 0.1}},
    "early stopping": {"early_stopping": {"monitor": "train_loss", "patience": 3}},
}


def pause(session: Session, job: str) -> None:
    verbs.ask(session, job, Verb.PAUSE)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_paused_job_goes_on_to_the_same_bytes(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, recipe: dict[str, object]
) -> None:
    undisturbed = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, undisturbed, "a")
    at_epoch(7, pause)
    job = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, job, "b")
    paused = shown(workspace, job)
    assert (paused.state, paused.asked, paused.epochs_done, paused.message) == ("paused", None, 7, None)
    assert (paused.held_model_id, paused.held_dataset_id) == (paused.model_id, paused.dataset_id)
    work_on(workspace, job, "c")
    assert shown(workspace, job).state == "paused"

    with workspace.database.transaction() as session:
        verbs.ask(session, job, Verb.RESUME)
    work_on(workspace, job, "d")
    ended = shown(workspace, job)
    assert (ended.state, ended.losses_of_worker, ended.attempt) == ("succeeded", 0, 2)
    assert result(workspace, job) == result(workspace, undisturbed)


def test_a_job_whose_pause_is_taken_back_late_is_queued_again(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_epoch(7, pause)
    keep_place = Ledger.keep_place

    def take_back(self: Ledger) -> None:
        keep_place(self)
        with workspace.database.transaction() as session:
            verbs.ask(session, self.job, Verb.RESUME)

    monkeypatch.setattr(Ledger, "keep_place", take_back)
    job = post(epochs=30)
    work_on(workspace, job, "a")
    assert shown(workspace, job).state == "queued"
    work_on(workspace, job, "b")
    assert shown(workspace, job).state == "succeeded"


def test_a_job_cancelled_while_it_rests_leaves_its_last_parameters(
    workspace: Workspace, post: Post, at_epoch: AtEpoch
) -> None:
    short = post(epochs=7, from_version=0)
    work_on(workspace, short, "a")
    at_epoch(7, pause)
    job = post(epochs=30, from_version=0)
    work_on(workspace, job, "b")
    with pytest.raises(Conflict, match="is paused"):
        jobs.last_layers(workspace.database, job)
    with workspace.database.transaction() as session:
        verbs.ask(session, job, Verb.CANCEL)
    assert jobs.last_layers(workspace.database, job)
    with workspace.database.reading() as session:
        left = left_parameters.find(session, job)
    assert left is not None
    assert left.parameters == result(workspace, short)[0]


def test_a_job_that_succeeds_after_a_rest_leaves_no_last_parameters(
    workspace: Workspace, post: Post, at_epoch: AtEpoch
) -> None:
    at_epoch(7, pause)
    job = post(epochs=30)
    work_on(workspace, job, "a")
    with workspace.database.transaction() as session:
        assert left_parameters.find(session, job) is not None
        verbs.ask(session, job, Verb.RESUME)
    work_on(workspace, job, "b")
    assert shown(workspace, job).state == "succeeded"
    with workspace.database.reading() as session:
        assert left_parameters.find(session, job) is None


def test_the_time_in_which_a_job_rests_does_not_count_for_its_end(
    workspace: Workspace, post: Post, at_epoch: AtEpoch
) -> None:
    at_epoch(7, pause)
    job = post(epochs=14)
    work_on(workspace, job, "a")
    with workspace.database.transaction() as session:
        record = records.find(session, job)
        assert record.started_at is not None
        record.started_at -= timedelta(days=365)
        verbs.ask(session, job, Verb.RESUME)
        queue.claim(session, job, "b")
    running = shown(workspace, job)
    estimate = jobs.estimated_finish_at(running)
    assert estimate is not None
    assert running.beat is not None
    assert estimate - running.beat == timedelta(seconds=running.seconds)


def test_a_job_cancelled_while_it_goes_to_rest_is_cancelled(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_epoch(7, pause)
    keep_place = Ledger.keep_place

    def cancel(self: Ledger) -> None:
        keep_place(self)
        with workspace.database.transaction() as session:
            verbs.ask(session, self.job, Verb.CANCEL)

    monkeypatch.setattr(Ledger, "keep_place", cancel)
    job = post(epochs=30)
    work_on(workspace, job, "a")
    cancelled = shown(workspace, job)
    assert (cancelled.state, cancelled.asked, cancelled.version) == ("cancelled", None, None)
    with workspace.database.reading() as session:
        assert left_parameters.find(session, job) is not None
        assert records.checkpoint(session, job) is None
