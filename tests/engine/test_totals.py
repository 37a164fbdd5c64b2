"""Totals agree with the rows, and stay where these go."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import operations, queue
from service.jobs.states import State, Verb
from service.jobs.steering import verbs
from service.metrics import records
from service.metrics.records import Figures

Post = Callable[..., str]


def figures(workspace: Workspace) -> Figures:
    with workspace.database.reading() as session:
        return records.figures(session)


def rows_by_state(workspace: Workspace) -> dict[str, int]:
    with workspace.database.reading() as session:
        states = session.scalars(text("SELECT state FROM jobs")).all()
    return {state.value: states.count(state.value) for state in State}


def test_totals_agree_with_the_rows_and_deletions_take_nothing_back(workspace: Workspace, post: Post) -> None:
    trained, diverged, cancelled, rests, runs, _waits = (post(epochs=5) for _ in range(6))
    bad = post(epochs=5, optimiser={"rule": "Descent", "eta": 1e30})
    for job in (trained, bad):
        work_on(workspace, job, f"of {job}")
    with workspace.database.transaction() as session:
        verbs.ask(session, cancelled, Verb.CANCEL)
        verbs.ask(session, rests, Verb.PAUSE)
    for job in (runs, diverged):
        with workspace.database.transaction() as session:
            queue.claim(session, job, f"of {job}")
    with workspace.database.transaction() as session:
        queue.lose(session, f"of {diverged}", "signal 9 (SIGKILL)")
    before = figures(workspace)
    assert before.jobs == rows_by_state(workspace)
    assert set(before.jobs.values()) == {1, 2}
    assert {name: before.totals[name] for name in ("created", "succeeded", "failed", "cancelled", "workers_lost")} == {
        "created": 7,
        "succeeded": 1,
        "failed": 1,
        "cancelled": 1,
        "workers_lost": 1,
    }
    assert before.totals["rows"] == 6 * before.totals["epochs"] >= 30
    for job in (trained, bad, cancelled):
        operations.delete(workspace.database, job)
    after = figures(workspace)
    assert after.jobs == rows_by_state(workspace)
    kept = {name: count for name, count in after.totals.items() if not name.startswith("deleted_")}
    assert kept == before.totals


def test_epochs_that_a_verification_repeats_count_as_work(workspace: Workspace, post: Post) -> None:
    work_on(workspace, post(epochs=5), "a")
    once = figures(workspace).totals
    work_on(workspace, post(epochs=5), "b")
    twice = figures(workspace).totals
    assert {name: twice[name] for name in ("epochs", "rows")} == {"epochs": 10, "rows": 60}
    assert {name: once[name] for name in ("epochs", "rows")} == {"epochs": 5, "rows": 30}


def test_epochs_of_all_rows_after_a_refit_count_as_work(workspace: Workspace, post: Post) -> None:
    fields: dict[str, Any] = {"validation": {"fraction": 0.34}, "keep": "best", "refit": True}
    fields |= {"batch_size": 2, "optimiser": {"rule": "Adam", "eta": 0.1}}
    work_on(workspace, post(epochs=12, **fields), "a")
    counted = figures(workspace).totals
    assert {name: counted[name] for name in ("epochs", "rows")} == {"epochs": 12 + 12, "rows": 12 * 4 + 12 * 6}


def test_the_age_of_the_queue_is_that_of_its_oldest_job(workspace: Workspace, post: Post) -> None:
    assert figures(workspace).oldest_waiting == 0
    post()
    aged = figures(workspace)
    assert 0 < aged.oldest_waiting < replace(figures(workspace)).oldest_waiting
