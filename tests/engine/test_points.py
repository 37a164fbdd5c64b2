"""Parameters kept on the way: those that a job which ends there would give, each once, none of a job without result."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import records
from service.jobs.records import JobRecord
from service.jobs.states import State, Verb
from service.jobs.steering import verbs
from service.learning.training.events import EpochReport, Progress
from service.learning.training.training import Training
from service.models import records as models
from service.models.records import PointRecord

Post = Callable[..., str]


def run(workspace: Workspace, job: str) -> JobRecord:
    work_on(workspace, job, job)
    with workspace.database.reading() as session:
        return records.find(session, job)


def points(workspace: Workspace, job: str) -> dict[int, bytes]:
    with workspace.database.reading() as session:
        kept = select(PointRecord.epoch, PointRecord.parameters).where(PointRecord.job_id == job)
        return dict(session.execute(kept).all())


def result(workspace: Workspace, job: str) -> bytes:
    ended = run(workspace, job)
    assert ended.state == State.SUCCEEDED, ended.error
    with workspace.database.reading() as session:
        assert ended.version is not None
        return models.version(session, ended.model_id, ended.version).parameters


@pytest.mark.parametrize(
    "recipe",
    [
        {"path": "quadratic"},
        {"path": "quadratic", "schedule": {"name": "Exp", "start": 0.1, "decay": 0.9}},
        {"path": "quadratic", "optimiser": {"rule": "Adam", "eta": 0.1}, "standardise": True},
        {"path": "batches"},
        {"path": "batches", "standardise": True, "schedule": {"name": "Plateau", "start": 0.1, "patience": 1}},
        {"batch_size": 4, "shuffle": True, "optimiser": {"rule": "Adam", "eta": 0.01}},
        {"batch_size": 4, "partial": False, "schedule": {"name": "Exp", "start": 0.05, "decay": 0.9, "per": "step"}},
        {"path": "batches", "optimiser": {"rule": "Nesterov", "eta": 0.01}},
    ],
    ids=str,
)
def test_a_point_has_the_bytes_of_a_job_that_ends_there(
    workspace: Workspace, post: Post, recipe: dict[str, Any]
) -> None:
    whole = post(epochs=10, keep_every=3, from_version=0, **recipe)
    result(workspace, whole)
    kept = points(workspace, whole)

    assert list(kept) == [3, 6, 9]
    assert len(set(kept.values())) == 3
    for epoch, vector in kept.items():
        assert vector == result(workspace, post(epochs=epoch, from_version=0, **recipe))


def test_points_are_those_of_their_epochs_also_where_the_best_is_kept(workspace: Workspace, post: Post) -> None:
    recipe: dict[str, Any] = {"epochs": 6, "from_version": 0, "batch_size": 2, "shuffle": True, "keep_every": 1}
    best, last = post(**recipe, keep="best"), post(**recipe)
    result(workspace, best)
    result(workspace, last)
    assert points(workspace, best) == points(workspace, last)


def test_nothing_is_kept_unasked(workspace: Workspace, post: Post) -> None:
    job = post(epochs=10)
    result(workspace, job)
    assert points(workspace, job) == {}


def test_a_training_is_held_up_while_too_much_waits_to_be_written(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.engine.noted.MOST_BYTES", 1)
    job = post(epochs=4, keep_every=1)
    undisturbed = Training.run
    seen = []

    def watched(training: Training) -> Iterator[EpochReport | Progress]:
        for event in undisturbed(training):
            seen.append((event.epoch, len(points(workspace, job))))
            yield event

    monkeypatch.setattr(Training, "run", watched)
    result(workspace, job)
    assert seen == [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3)]
    assert len(points(workspace, job)) == 4


def test_a_job_that_fails_leaves_no_points(workspace: Workspace, post: Post) -> None:
    job = post(epochs=200, keep_every=1, optimiser={"rule": "Descent", "eta": 1e6}, path="batches")
    failed = run(workspace, job)
    assert failed.state == State.FAILED
    assert failed.epochs_done > 1
    assert points(workspace, job) == {}


def test_a_job_that_is_cancelled_leaves_no_points(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(epochs=3, keep_every=1)
    computed = Training.final_loss

    def cancel_meanwhile(training: Training) -> float:
        with workspace.database.transaction() as session:
            verbs.ask(session, job, Verb.CANCEL)
        return computed(training)

    monkeypatch.setattr(Training, "final_loss", cancel_meanwhile)
    assert run(workspace, job).state == State.CANCELLED
    assert points(workspace, job) == {}


def test_points_go_with_their_model(workspace: Workspace, post: Post) -> None:
    job = post(epochs=3, keep_every=1)
    result(workspace, job)
    with workspace.database.transaction() as session:
        session.delete(models.find(session, "straight"))
    assert points(workspace, job) == {}


def test_a_job_begins_from_a_point(workspace: Workspace, post: Post) -> None:
    recipe: dict[str, Any] = {"path": "batches", "optimiser": {"rule": "Descent", "eta": 0.05}}
    first = post(epochs=6, keep_every=2, **recipe)
    whole = result(workspace, first)
    rest = post(epochs=2, from_version=1, from_epoch=4, **recipe)
    assert result(workspace, rest) == whole
