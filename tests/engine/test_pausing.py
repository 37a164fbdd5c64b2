"""A job that pauses goes on to the same bytes, and its worker is free meanwhile."""

from collections.abc import Callable

import pytest

from service.engine import ledger
from service.engine.ledger import Ledger
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import operations, records
from service.jobs.records import JobRecord
from service.jobs.states import Verb
from service.jobs.steering import verbs
from service.learning.training.events import EpochReport, Progress
from service.models import records as models
from tests.support.serving import wait_for

Post = Callable[..., str]

RECIPES = {
    "one batch": {"optimiser": {"rule": "Adam", "eta": 0.1}, "path": "batches"},
    "batches drawn anew": {"batch_size": 2, "shuffle": True, "optimiser": {"rule": "Momentum", "eta": 0.01}},
    "quadratic": {"optimiser": {"rule": "Nesterov", "eta": 0.01}},
    "closed form": {"optimiser": {"rule": "Descent", "eta": 0.1}},
    "early stopping": {"early_stopping": {"monitor": "train_loss", "patience": 3}},
}


@pytest.fixture
def ask_at(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Verb], None]:
    """Let a client ask as soon as a worker has done an epoch, and the worker hear it before the next."""
    note = Ledger.note

    def arrange(epoch: int, verb: Verb) -> None:
        def noting(self: Ledger, event: EpochReport | Progress) -> None:
            note(self, event)
            if isinstance(event, EpochReport) and event.epoch == epoch and self.asked is None:
                with workspace.database.transaction() as session:
                    verbs.ask(session, self.job, verb)
                wait_for(lambda: self.asked is not None)

        monkeypatch.setattr(Ledger, "note", noting)

    monkeypatch.setattr(ledger, "FLUSH", 0.01)
    return arrange


def shown(workspace: Workspace, job: str) -> JobRecord:
    return operations.show(workspace.database, job)


def result(workspace: Workspace, job: str) -> tuple[bytes, list[tuple[int, float]]]:
    """The parameters of a job's version, and its losses."""
    with workspace.database.reading() as session:
        record = records.find(session, job)
        assert record.version is not None
        reports = records.reports(session, job, 0, 1000)
        losses = [(each["epoch"], each["train_loss"]) for each in reports.to_json()]
        return models.version(session, record.model_id, record.version).parameters, losses


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_paused_job_goes_on_to_the_same_bytes(
    workspace: Workspace, post: Post, ask_at: Callable[[int, Verb], None], recipe: dict[str, object]
) -> None:
    undisturbed = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, undisturbed, "a")
    ask_at(7, Verb.PAUSE)
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
    workspace: Workspace, post: Post, ask_at: Callable[[int, Verb], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_at(7, Verb.PAUSE)
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


def test_a_job_cancelled_while_it_goes_to_rest_is_cancelled(
    workspace: Workspace, post: Post, ask_at: Callable[[int, Verb], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_at(7, Verb.PAUSE)
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
        assert models.last_parameters(session, job) is not None
        assert records.checkpoint(session, job) is None
