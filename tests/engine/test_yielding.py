"""Long jobs that give way to short ones: for a tenth of their time, and to the same bytes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.database.record import now
from service.engine.run_job import work_on
from service.engine.tickets import work_with
from service.engine.workspace import Workspace
from service.jobs import queue, records
from service.jobs.log import records as log
from service.jobs.queue import order, yielding
from service.jobs.states import State, Verb
from service.jobs.steering import verbs
from tests.support.engine import result, shown

Post = Callable[..., str]
AtEpoch = Callable[[int, Callable[[Session, str], object]], None]

RECIPES: dict[str, dict[str, Any]] = {
    "batches drawn anew": {"batch_size": 2, "shuffle": True, "optimiser": {"rule": "Momentum", "eta": 0.01}},
    "quadratic": {"optimiser": {"rule": "Nesterov", "eta": 0.01}},
    "closed form": {"optimiser": {"rule": "Descent", "eta": 0.1}},
}


@pytest.fixture
def long(workspace: Workspace, post: Post) -> Callable[..., str]:
    """A job that counts as long, running for so many seconds, or queued."""

    def made(seconds: float | None = None, **recipe: Any) -> str:
        job = post(**recipe)
        with workspace.database.transaction() as session:
            record = records.find(session, job)
            record.planned_seconds = 3600.0
            if seconds is not None:
                queue.claim(session, job, f"of {job}")
                record.seconds = seconds
        return job

    return made


def asked(workspace: Workspace, *running: str, workers: int) -> str | None:
    return yielding.to_make_room(workspace.database, [f"of {job}" for job in running], workers)


def best(workspace: Workspace, *, by_turns: bool = False) -> str | None:
    with workspace.database.reading() as session:
        return order.best(session, by_turns=by_turns)


def give_way(workspace: Workspace, job: str) -> None:
    with workspace.database.transaction() as session:
        queue.without_worker(session, records.find(session, job), yields=True)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_job_that_gives_way_goes_on_to_the_same_bytes(
    workspace: Workspace, post: Post, at_epoch: AtEpoch, recipe: dict[str, Any]
) -> None:
    undisturbed = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, undisturbed, "a")
    at_epoch(7, yielding.ask)
    job = post(epochs=30, from_version=0, **recipe)
    work_on(workspace, job, "b")
    yielded = shown(workspace, job)
    assert (yielded.state, yielded.epochs_done, yielded.message, yielded.to_yield) == ("queued", 7, None, False)
    work_with(workspace, "c")
    ended = shown(workspace, job)
    assert (ended.state, ended.attempt, ended.losses_of_worker, ended.yielded_at) == ("succeeded", 2, 0, None)
    assert ended.yielded_seconds > 0
    assert result(workspace, job) == result(workspace, undisturbed)
    with workspace.database.reading() as session:
        assert [each.event for each in log.page(session, job, 0, 10)] == ["claimed", "yielded", "claimed"]


@pytest.mark.parametrize("by_turns", [False, True])
def test_a_freed_worker_goes_to_short_jobs_and_then_back(
    workspace: Workspace, post: Post, long: Callable[..., str], by_turns: bool
) -> None:
    older, job, younger = long(), long(3600.0), long(submitter="red")
    short = post(submitter="blue")
    give_way(workspace, job)
    assert best(workspace, by_turns=by_turns) == short
    with workspace.database.transaction() as session:
        queue.claim(session, short, "a")
    assert best(workspace, by_turns=by_turns) == job
    with workspace.database.transaction() as session:
        queue.claim(session, job, "b")
        queue.settle(records.find(session, job))
    assert best(workspace, by_turns=by_turns) in (older, younger)


def test_a_stream_of_short_jobs_gets_a_tenth_of_a_long_one_s_time(
    workspace: Workspace, post: Post, long: Callable[..., str]
) -> None:
    job, short = long(100.0), post()
    give_way(workspace, job)
    for seconds, first in ((9.0, short), (11.0, job)):
        with workspace.database.transaction() as session:
            records.find(session, job).yielded_at = now() - timedelta(seconds=seconds)
        assert best(workspace) == first
    with workspace.database.transaction() as session:
        queue.claim(session, job, f"of {job}")
        queue.settle(records.find(session, job))
    assert shown(workspace, job).yielded_seconds == pytest.approx(11.0, abs=0.9)
    assert asked(workspace, job, workers=1) is None
    with workspace.database.transaction() as session:
        records.find(session, job).seconds = 200.0
    assert asked(workspace, job, workers=1) == job


def test_the_longest_of_lowest_priority_gives_way(workspace: Workspace, post: Post, long: Callable[..., str]) -> None:
    first, second, important = long(100.0), long(200.0), long(300.0, priority=1)
    assert asked(workspace, first, second, important, workers=3) is None
    post()
    assert asked(workspace, first, second, important, workers=3) == second
    assert asked(workspace, first, second, important, workers=4) is None
    assert asked(workspace, important, workers=1) is None


def test_no_job_gives_way_where_a_worker_will_soon_be_free(
    workspace: Workspace, post: Post, long: Callable[..., str]
) -> None:
    job, short = long(100.0), post()
    with workspace.database.transaction() as session:
        queue.claim(session, short, f"of {short}")
    post()
    assert asked(workspace, job, short, workers=2) is None
    other = long(100.0)
    assert asked(workspace, job, other, workers=2) == job
    with workspace.database.transaction() as session:
        yielding.ask(session, other)
    assert asked(workspace, job, other, workers=2) is None


def test_a_job_that_is_long_gets_no_room(workspace: Workspace, long: Callable[..., str]) -> None:
    job = long(100.0)
    long()
    assert asked(workspace, job, workers=1) is None


def test_a_pause_goes_before_giving_way(workspace: Workspace, post: Post, at_epoch: AtEpoch) -> None:
    def both(session: Session, job: str) -> None:
        yielding.ask(session, job)
        verbs.ask(session, job, Verb.PAUSE)

    at_epoch(7, both)
    job = post(epochs=30)
    work_on(workspace, job, "a")
    rests = shown(workspace, job)
    assert (rests.state, rests.to_yield, rests.yielded_at) == (State.PAUSED, False, None)


def test_a_worker_lost_while_it_was_to_give_way_is_a_loss(
    workspace: Workspace, post: Post, long: Callable[..., str]
) -> None:
    job = long(100.0)
    with workspace.database.transaction() as session:
        yielding.ask(session, job)
    with workspace.database.transaction() as session:
        assert queue.lose(session, f"of {job}", None) == [job]
    lost = shown(workspace, job)
    assert (lost.state, lost.losses_of_worker, lost.to_yield, lost.yielded_at) == (State.QUEUED, 1, False, None)
