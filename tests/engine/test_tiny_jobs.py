"""Several tiny jobs that one worker takes at once: claimed together, ended together, and alone after any mishap."""

from collections.abc import Callable
from typing import Any

import pytest

from service.engine import assignment
from service.engine.ends import ending
from service.engine.tickets import work_with
from service.engine.workspace import Workspace
from service.jobs import queue, records
from service.jobs.log import records as log_of_jobs
from service.jobs.queue import order
from service.jobs.states import Verb
from service.jobs.steering import verbs
from service.learning.training.training import Training
from service.models import records as models
from tests.support.engine import result, shown

Post = Callable[..., str]


class Killed(BaseException):
    """The end of a worker's process."""


def few(workspace: Workspace, *, workers: int = 1, by_turns: bool = False) -> list[str]:
    with workspace.database.reading() as session:
        return order.best_few(session, by_turns=by_turns, workers=workers)


def states(workspace: Workspace, jobs: list[str]) -> list[tuple[str, int, int]]:
    return [(each.state, each.attempt, each.losses_of_worker) for each in (shown(workspace, job) for job in jobs)]


def versions(workspace: Workspace, jobs: list[str]) -> set[int | None]:
    return {shown(workspace, job).version for job in jobs}


def why_given_back(workspace: Workspace, job: str) -> str:
    """The last entry of the job's log."""
    with workspace.database.reading() as session:
        return log_of_jobs.page(session, job, 0, 100)[-1].detail


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, error: BaseException) -> None:
    """Let the training of that number come to this."""
    run, runs = Training.run, []

    def dying(training: Training) -> Any:
        runs.append(training)
        if len(runs) == number:
            raise error
        return run(training)

    monkeypatch.setattr(Training, "run", dying)


def test_tiny_jobs_share_a_ticket(workspace: Workspace, post: Post) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(4)]
    work_with(workspace, "a")
    assert states(workspace, jobs) == [("succeeded", 1, 0)] * 4
    assert versions(workspace, jobs) == {1, 2, 3, 4}
    assert len({shown(workspace, job).message for job in jobs}) == 1
    alone = post(epochs=3, from_version=0)
    work_with(workspace, "b")
    assert all(result(workspace, job) == result(workspace, alone) for job in jobs)


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"batch_size": 2, "shuffle": True, "standardise": True, "optimiser": {"rule": "Adam"}},
        {"standardise": True, "optimiser": {"rule": "LBFGS"}},
        {"validation": {"fraction": 0.4}, "batch_size": 2, "optimiser": {"rule": "Adam"}},
    ],
)
def test_a_training_changes_nothing_of_what_the_next_of_its_kind_shares(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any]
) -> None:
    made, make = [], assignment._material

    def counted(*arguments: Any) -> assignment.Material:
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(assignment, "_material", counted)
    jobs = [post(epochs=3, from_version=0, **recipe) for _ in range(3)]
    for job in jobs:
        work_with(workspace, f"of {job}")
    assert result(workspace, jobs[0]) == result(workspace, jobs[1]) == result(workspace, jobs[2])
    assert len(made) == 1


def test_a_crash_amid_tiny_jobs_loses_and_doubles_nothing(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(4)]
    with monkeypatch.context() as patch:
        kill_at(patch, 3, Killed())
        with pytest.raises(Killed):
            work_with(workspace, "a")
    assert states(workspace, jobs) == [("running", 1, 0)] * 4
    with workspace.database.reading() as session:
        assert models.find(session, "straight").versions == 1
    with workspace.database.transaction() as session:
        assert set(queue.lose(session, "a", "signal 9 (SIGKILL)")) == set(jobs)
    for number, job in enumerate(jobs):
        assert few(workspace) == [job]
        work_with(workspace, f"again {number}")
    assert states(workspace, jobs) == [("succeeded", 2, 1)] * 4
    assert versions(workspace, jobs) == {1, 2, 3, 4}


def test_a_ticket_of_tiny_jobs_that_comes_again_takes_all_of_them_over(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(3)]
    with monkeypatch.context() as patch:
        kill_at(patch, 2, Killed())
        with pytest.raises(Killed):
            work_with(workspace, "a")
    work_with(workspace, "a")
    assert states(workspace, jobs) == [("succeeded", 2, 1)] * 3


def test_a_tiny_job_that_fails_leaves_the_others_alone(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(3)]
    kill_at(monkeypatch, 2, ZeroDivisionError())
    work_with(workspace, "a")
    assert [state for state, *_ in states(workspace, jobs)] == ["succeeded", "failed", "succeeded"]


def test_a_tiny_job_cancelled_before_the_common_end_is_cancelled(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(3)]
    write = ending.Together.write

    def cancel_first(together: ending.Together) -> None:
        with workspace.database.transaction() as session:
            verbs.ask(session, jobs[0], Verb.CANCEL)
        write(together)

    monkeypatch.setattr(ending.Together, "write", cancel_first)
    work_with(workspace, "a")
    assert [state for state, *_ in states(workspace, jobs)] == ["cancelled", "succeeded", "succeeded"]
    assert versions(workspace, jobs) == {None, 1, 2}


def test_tiny_jobs_that_take_longer_than_planned_are_given_back(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(3)]
    monkeypatch.setattr(ending, "PATIENCE", 0.0)
    work_with(workspace, "a")
    assert [state for state, *_ in states(workspace, jobs)] == ["queued"] * 3
    assert [why_given_back(workspace, job) for job in jobs] == [ending.HELD_UP] * 3
    for number in range(3):
        work_with(workspace, f"again {number}")
    assert states(workspace, jobs) == [("succeeded", 2, 0)] * 3


def test_ends_that_cannot_be_written_together_are_written_alone(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [post(epochs=3, from_version=0) for _ in range(3)]
    end = queue.end_unread

    def failing(session: Any, job: str, attempt: int, *arguments: Any, **values: Any) -> None:
        if job == jobs[1] and attempt == 1:
            raise ZeroDivisionError
        end(session, job, attempt, *arguments, **values)

    monkeypatch.setattr(queue, "end_unread", failing)
    work_with(workspace, "a")
    assert states(workspace, jobs) == [("queued", 1, 0)] * 3
    assert [why_given_back(workspace, job) for job in jobs] == [ending.NOT_WRITTEN] * 3
    for number in range(3):
        work_with(workspace, f"again {number}")
    assert states(workspace, jobs) == [("succeeded", 2, 0)] * 3
    assert versions(workspace, jobs) == {1, 2, 3}


def test_other_workers_find_tiny_jobs_too(workspace: Workspace, post: Post) -> None:
    jobs = [post() for _ in range(6)]
    assert few(workspace) == jobs
    assert few(workspace, workers=2) == jobs[:3]
    assert few(workspace, workers=8) == jobs[:1]


@pytest.mark.parametrize(
    "values",
    [{"planned_seconds": 0.2}, {"planned_seconds": None}, {"attempt": 1}, {"max_attempts": 1}, {"serve": "if_better"}],
)
def test_only_untried_tiny_jobs_go_together(workspace: Workspace, post: Post, values: dict[str, Any]) -> None:
    jobs = [post() for _ in range(4)]
    with workspace.database.transaction() as session:
        for job in jobs[::2]:
            for name, value in values.items():
                setattr(records.find(session, job), name, value)
    assert few(workspace) == (jobs[:2] if values == {"planned_seconds": 0.2} else jobs[:1])


def test_tiny_jobs_follow_the_order(workspace: Workspace, post: Post) -> None:
    jobs = [post(submitter="blue"), post(submitter="blue"), post(submitter="red"), post(priority=-1)]
    assert few(workspace) == jobs[:3]
    assert few(workspace, by_turns=True) == [jobs[0], jobs[2], jobs[1]]
