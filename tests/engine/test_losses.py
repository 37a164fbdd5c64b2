"""The number of workers that a job may lose, and its error's account of them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from service.client import Client
from service.engine import ledger as ledgers
from service.engine.ledger import Ledger
from service.engine.nannies import in_words
from service.engine.workspace import Workspace
from service.jobs import queue, records
from service.jobs.queue import claims
from service.jobs.records import JobRecord
from service.jobs.schemas import Job
from service.jobs.states import MAX_LOSSES_OF_WORKER, JobError, State
from service.learning.losses import MSE
from service.learning.optimisers import Adam
from service.learning.training.events import EpochReport, Progress
from service.learning.training.recipe import Recipe
from service.learning.training.training import Training
from tests.support.serving import RunningService, running_service, wait_for
from tests.support.training import line, straight

pytestmark = pytest.mark.waits(15)

Post = Callable[..., str]


def found(workspace: Workspace, job: str) -> JobRecord:
    with workspace.database.reading() as session:
        return records.find(session, job)


def claim(workspace: Workspace, job: str, message: str) -> int:
    with workspace.database.transaction() as session:
        attempt = queue.claim(session, job, message)
    assert attempt is not None
    return attempt


def lose(workspace: Workspace, job: str, *ends: str | None) -> JobRecord:
    """Lose a worker after the other."""
    for number, end in enumerate(ends):
        claim(workspace, job, f"{end} {number}")
        with workspace.database.transaction() as session:
            assert queue.lose(session, f"{end} {number}", end)
    return found(workspace, job)


def test_a_job_fails_that_loses_workers_without_getting_further(workspace: Workspace, post: Post) -> None:
    job = post()
    killed = "signal 9 (SIGKILL)"
    assert lose(workspace, job, killed, None, killed, "exit code 3").state == State.QUEUED
    failed = lose(workspace, job, killed)
    assert failed.error == JobError(
        "worker_lost",
        "5 workers were lost without a further checkpoint between them. They ended: "
        "3 by signal 9 (SIGKILL), 1 by exit code 3, 1 in a way that is not known here.",
        epoch=0,
    )
    assert (failed.state, failed.held_model_id) == (State.FAILED, None)


def test_losses_that_nobody_saw_are_named_for_what_they_are(workspace: Workspace, post: Post) -> None:
    job = post()
    lose(workspace, job, *["exit code 1"] * (MAX_LOSSES_OF_WORKER - 2))
    claim(workspace, job, "taken over")
    claim(workspace, job, "taken over")
    with workspace.database.transaction() as session:
        claims.write(session, job, found(workspace, job).attempt, peak_memory=123_400_000)
    with workspace.database.transaction() as session:
        assert queue.requeue_lost(session, all_running=True) == {job: "taken over"}
    error = found(workspace, job).error
    assert error is not None
    assert "1 by the end of the service, 1 in a way that is not known here" in error.detail
    assert error.detail.endswith("By the last heartbeat the worker had used at most 123 MB of memory.")


def test_a_message_that_claimed_nothing_loses_nothing(workspace: Workspace, post: Post) -> None:
    job = post()
    claim(workspace, job, "another")
    with workspace.database.transaction() as session:
        assert not queue.lose(session, "never claimed", "exit code 1")
    assert found(workspace, job).losses_of_worker == 0


@pytest.mark.parametrize("place", [Progress(3, 0.5), EpochReport(4, 1.0, None, 0.1, None, 0.0)])
def test_a_checkpoint_further_on_forgives_the_losses_before_it(
    workspace: Workspace, post: Post, monkeypatch: pytest.MonkeyPatch, place: EpochReport | Progress
) -> None:
    monkeypatch.setattr(ledgers, "FIRST_CHECKPOINT", 0.0)
    monkeypatch.setattr(ledgers, "CHECKPOINT", 0.0)
    job = post()
    lose(workspace, job, *["exit code 1"] * (MAX_LOSSES_OF_WORKER - 1))
    attempt = claim(workspace, job, "the last")
    training = SimpleNamespace(
        recipe=Recipe(loss=MSE(), optimiser=Adam(), epochs=5),
        rows=6,
        epochs_done=3,  # where the checkpoint before was
        initial_loss=1.0,
        best=None,
    )

    def note(ledger: Ledger, event: EpochReport | Progress, state: bytes) -> JobRecord:
        """The job once the checkpoint that this event takes has been kept."""
        training.state = lambda: {"state": np.frombuffer(state, np.uint8)}
        ledger.note(event)
        wait_for(lambda: (checkpoint(workspace, job) or b"").endswith(state))
        return found(workspace, job)

    with Ledger(workspace.beats, found(workspace, job), attempt, None) as ledger:
        ledger.watch(cast(Training, training))
        same = note(ledger, Progress(3, 0.0), b"first")
        further = note(ledger, place, b"second")
    assert (same.losses_since_checkpoint, same.losses_of_worker) == (4, 4)
    assert (further.losses_since_checkpoint, further.losses_of_worker) == (0, 4)
    assert further.ends_of_workers is None


def checkpoint(workspace: Workspace, job: str) -> bytes | None:
    with workspace.database.reading() as session:
        return records.checkpoint(session, job)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "signal 9 (SIGKILL)"),
        (-11, "signal 11 (SIGSEGV)"),
        (-35, "signal 35"),
        (0, "exit code 0"),
        (3, "exit code 3"),
        (255, None),
    ],
)
def test_exit_codes_are_put_in_words(code: int, words: str | None) -> None:
    assert in_words(code) == words


def losses(service: RunningService, job: str) -> tuple[Any, ...]:
    """State, attempt, losses in all and since a checkpoint that was further on."""
    query = "SELECT state, attempt, losses_of_worker, losses_since_checkpoint FROM jobs WHERE id = ?"
    with closing(sqlite3.connect(service.folder / "descent.db")) as connection:
        row: tuple[Any, ...] = connection.execute(query, (job,)).fetchone()
        return row


def kill_worker_of(service: RunningService, job: str, attempt: int) -> None:
    wait_for(lambda: losses(service, job)[:2] == ("running", attempt))
    for worker in service.workers():
        worker.kill()
    wait_for(lambda: losses(service, job)[2] == attempt)


def test_only_killed_workers_since_the_last_step_forward_fail_a_job(tmp_path: Path) -> None:
    with running_service(tmp_path / "data", "--workers", "1") as service, service.client() as client:
        job = slow_job(client)
        kill_worker_of(service, job.id, 1)
        wait_for(lambda: losses(service, job.id) == ("running", 2, 1, 0))
        for attempt in range(2, 2 + MAX_LOSSES_OF_WORKER):
            kill_worker_of(service, job.id, attempt)
        failed = client.job(job.id, wait=30)

        assert (failed.state, failed.losses_of_worker) == ("failed", 1 + MAX_LOSSES_OF_WORKER)
        assert failed.error is not None
        assert failed.error.code == "worker_lost"
        assert failed.error.detail.startswith("5 workers were lost without a further checkpoint between them (6 in")
        assert "They ended: 5 by signal 9 (SIGKILL). By the last heartbeat the worker had used" in failed.error.detail
        assert "lost its worker: signal 9 (SIGKILL)" in service.log
        assert "Traceback" not in service.log


def slow_job(client: Client) -> Job:
    """A job of days, whose first checkpoint comes after a second and a half."""
    recipe: dict[str, Any] = {"epochs": 10_000_000, "batch_size": 1, "optimiser": {"rule": "Descent", "eta": 1e-9}}
    return client.train(straight(client).id, line(client).id, **recipe)
