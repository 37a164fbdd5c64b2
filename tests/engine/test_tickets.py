"""Tickets: messages that name no job, and their number."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from service.engine import tickets
from service.engine.cluster import Cluster
from service.engine.dispatcher import TICKETS_PER_WORKER, Death, Dispatcher
from service.engine.tickets import work_with
from service.engine.workspace import Place, Workspace
from service.errors import Unavailable
from service.jobs import queue
from tests.support.engine import shown

Post = Callable[..., str]
WORKERS = 2


class Engine:
    """A cluster whose tickets wait until a test ends them; and its dispatcher."""

    def __init__(self, workspace: Workspace) -> None:
        self.tickets: dict[str, Any] = {}
        self.numbers: list[int] = []
        told = {"lost_worker_of": lambda _: None, "end_of_worker": lambda _: None, "is_silent": lambda _: False}
        cluster = SimpleNamespace(submit=self._submit, slots=WORKERS, **told)
        self.dispatcher = Dispatcher(workspace.database, cast(Cluster, cluster), lambda: None)
        self.dispatcher.workers = WORKERS

    def _submit(self, ticket: str, *, number: int, workers: int) -> Any:
        self.numbers.append(number)
        future = SimpleNamespace(status="pending")
        future.add_done_callback = lambda done: setattr(future, "done", done)
        self.tickets[ticket] = future
        return future

    def supply(self) -> int:
        """Let the dispatcher look at the table; return the tickets that are out."""
        self.dispatcher._supply(threading.Event())
        return len(self.tickets)

    def end(self, ticket: str, status: str = "finished") -> None:
        future = self.tickets.pop(ticket)
        future.status = status
        future.done(future)


@pytest.fixture
def engine(workspace: Workspace) -> Engine:
    return Engine(workspace)


def claim(workspace: Workspace, job: str, ticket: str) -> None:
    with workspace.database.transaction() as session:
        assert queue.claim(session, job, ticket)


def test_a_worker_takes_the_best_job_that_waits_by_then(workspace: Workspace, post: Post) -> None:
    older = post(epochs=1)
    better = post(epochs=1, priority=1)
    work_with(workspace, "a")
    assert (shown(workspace, older).state, shown(workspace, better).state) == ("queued", "succeeded")
    work_with(workspace, "b")
    work_with(workspace, "c")
    assert shown(workspace, older).state == "succeeded"


def test_a_ticket_goes_on_to_jobs_that_come_in_a_moment(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    posted = [post(epochs=1, submitter="blue"), post(epochs=1, submitter="red", priority=-1)]
    monkeypatch.setattr(tickets, "workspace_at", lambda place: workspace)
    monkeypatch.setattr(tickets, "MOMENT", 60.0)

    def come(seconds: float) -> None:
        posted.append(post(epochs=1, max_attempts=1))
        monkeypatch.setattr(tickets, "MOMENT", 0.0)

    monkeypatch.setattr("time.sleep", come)
    tickets.run_ticket("a", 1, 2, cast(Place, None))
    ended = [shown(workspace, job) for job in posted]
    assert [(each.state, each.message) for each in ended] == [("succeeded", "a")] * 3


def test_a_ticket_that_has_gone_on_for_long_leaves_jobs_to_the_next(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = post(epochs=1), post(epochs=1, priority=-1)
    monkeypatch.setattr(tickets, "workspace_at", lambda place: workspace)
    monkeypatch.setattr(tickets, "LONGEST", -1.0)
    tickets.run_ticket("a", 1, 2, cast(Place, None))
    assert (shown(workspace, first).state, shown(workspace, second).state) == ("succeeded", "queued")


def test_a_ticket_is_done_where_no_further_job_can_be_looked_for(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(epochs=1)

    def fails(*_: Any) -> int:
        raise Unavailable("The database does not answer.", "database_unavailable")

    monkeypatch.setattr(tickets, "workspace_at", lambda place: workspace)
    monkeypatch.setattr(queue, "count_waiting", fails)
    tickets.run_ticket("a", 1, 2, cast(Place, None))
    assert shown(workspace, job).state == "succeeded"


@pytest.mark.parametrize("works", [False, True])
def test_missing_workers_are_replaced_while_none_works(
    workspace: Workspace, post: Post, engine: Engine, monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    monkeypatch.setattr("service.engine.watchdog.PATIENCE", 0.0)
    if works:
        job = post()
        engine.supply()
        claim(workspace, job, next(iter(engine.tickets)))
    engine.dispatcher._watch()
    assert not engine.dispatcher.is_stuck
    engine.dispatcher.workers -= 1
    engine.dispatcher._watch()
    assert engine.dispatcher.is_stuck is not works


def test_a_ticket_that_comes_again_takes_over_what_it_had_claimed(workspace: Workspace, post: Post) -> None:
    claimed, better = post(epochs=1), post(epochs=1, priority=1)
    claim(workspace, claimed, "a")
    work_with(workspace, "a")
    ended = shown(workspace, claimed)
    assert (ended.state, ended.attempt, ended.losses_of_worker) == ("succeeded", 2, 1)
    assert shown(workspace, better).state == "queued"


def test_there_are_as_many_tickets_as_queued_jobs_but_few_a_worker(
    workspace: Workspace, post: Post, engine: Engine
) -> None:
    assert engine.supply() == 0
    jobs = [post()]
    assert [engine.supply(), engine.supply()] == [1, 1]
    claim(workspace, jobs[0], next(iter(engine.tickets)))
    assert engine.supply() == 1
    jobs += [post() for _ in range(2 * TICKETS_PER_WORKER * WORKERS)]
    assert [engine.supply(), engine.supply()] == [TICKETS_PER_WORKER * WORKERS] * 2
    engine.end(next(iter(engine.tickets)))
    assert engine.supply() == TICKETS_PER_WORKER * WORKERS


@pytest.mark.parametrize(("workers", "period"), [(1, 2), (2, 2), (4, 4)])
def test_one_ticket_in_some_goes_by_turns(
    workspace: Workspace, post: Post, engine: Engine, workers: int, period: int
) -> None:
    engine.dispatcher.workers = workers
    for _ in range(8):
        post()
    while len(engine.numbers) < 8:
        engine.supply()
        engine.end(next(iter(engine.tickets)))
    by_turns = [tickets.goes_by_turns(number, workers) for number in engine.numbers]
    assert by_turns[:8] == [number % period == 0 for number in range(1, 9)]


def test_tickets_that_fail_hold_further_ones_back(workspace: Workspace, post: Post, engine: Engine) -> None:
    post()
    engine.supply()
    engine.end(next(iter(engine.tickets)), "error")
    assert engine.supply() == 0
    engine.dispatcher._paused_until = 0.0
    assert engine.supply() == 1


@pytest.mark.parametrize("claimed_dies_first", [True, False])
def test_a_ticket_that_dies_behind_a_job_holds_none_back(
    workspace: Workspace, post: Post, engine: Engine, claimed_dies_first: bool
) -> None:
    job, _ = post(), post()
    engine.supply()
    first, behind = engine.tickets
    claim(workspace, job, first)
    died = [first, behind] if claimed_dies_first else [behind, first]
    engine.dispatcher._deaths.extend(Death(ticket, "tcp://127.0.0.1:1") for ticket in died)
    engine.dispatcher._call_back()
    assert engine.dispatcher._paused_until == 0.0

    for number, (end, rate) in enumerate([("succeeded", 0.01), ("failed", 1e30)], 3):
        ended = post(optimiser={"rule": "Descent", "eta": rate}, priority=number, max_attempts=1)
        work_with(workspace, f"its job has {end}, and it waits")
        assert shown(workspace, ended).state == end
        engine.dispatcher._deaths.append(Death(f"its job has {end}, and it waits", f"tcp://127.0.0.1:{number}"))
        engine.dispatcher._call_back()
        assert engine.dispatcher._paused_until == 0.0

    engine.dispatcher._deaths.append(Death("never claimed", "tcp://127.0.0.1:2"))
    engine.dispatcher._call_back()
    assert engine.dispatcher._paused_until > 0.0
