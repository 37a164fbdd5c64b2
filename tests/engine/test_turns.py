"""The order of the jobs that wait: by priority, then, for one ticket in some, turns of submitters, then age."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from service.engine.workspace import Workspace
from service.jobs import queue
from service.jobs.queue import order
from service.jobs.states import Wish
from service.jobs.steering import changes

Post = Callable[..., str]


def claims(workspace: Workspace, *, by_turns: Callable[[int], bool] = lambda _: True) -> list[str]:
    """Claim all that waits, one after the other; `by_turns` tells it by the number of the ticket."""
    claimed: list[str] = []
    with workspace.database.transaction() as session:
        while (job := order.best(session, by_turns=by_turns(len(claimed)))) is not None:
            queue.claim(session, job, f"of {job}")
            claimed.append(job)
    return claimed


def test_submitters_take_turns(workspace: Workspace, post: Post) -> None:
    names = ("blue", "blue", "blue", "blue", "red", "", "red", "")
    jobs = [post(submitter=name) for name in names]
    assert claims(workspace) == [jobs[each] for each in (0, 4, 5, 1, 6, 7, 2, 3)]


def test_whoever_comes_late_waits_for_no_more_than_a_turn(workspace: Workspace, post: Post) -> None:
    many = [post(submitter="blue") for _ in range(6)]
    with workspace.database.transaction() as session:
        for job in many[:3]:
            queue.claim(session, job, "a")
    late = [post(submitter="red") for _ in range(2)]
    assert claims(workspace) == [many[3], late[0], many[4], late[1], many[5]]


def test_priority_goes_before_turns(workspace: Workspace, post: Post) -> None:
    low, first, second = post(submitter="red"), post(submitter="blue", priority=1), post(submitter="blue", priority=1)
    assert claims(workspace) == [first, second, low]


def test_many_names_get_no_more_than_the_tickets_that_go_by_turns(workspace: Workspace, post: Post) -> None:
    honest = [post(submitter="blue") for _ in range(4)]
    pushed = [post(submitter=f"name {number}") for number in range(4)]
    alternating = claims(workspace, by_turns=lambda ticket: ticket % 2 == 1)
    assert alternating[:6] == [honest[0], pushed[0], honest[1], pushed[1], honest[2], pushed[2]]


def test_a_new_priority_changes_the_place_at_once(workspace: Workspace, post: Post) -> None:
    jobs = [post(), post(), post()]
    with workspace.database.transaction() as session:
        changes.change(session, jobs[2], Wish(), 3)
    assert claims(workspace) == [jobs[2], jobs[0], jobs[1]]


def test_no_query_of_the_order_looks_at_all_that_waits(workspace: Workspace, post: Post) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(workspace.database.engine, "before_cursor_execute", lambda *it: asked.append((it[2], it[3])))
    post()
    with workspace.database.reading() as session:
        order.best(session)
        order.best(session, by_turns=True)
        of_order = [(query, values) for query, values in asked if "state = 'queued'" in query]
        assert len(of_order) == 3
        for query, values in of_order:
            plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
            searches = [step for step in plan if not step.startswith(("SCALAR SUBQUERY", "SCAN CONSTANT ROW"))]
            assert all("SEARCH" in each and "ix_jobs_waiting_" in each for each in searches), plan
