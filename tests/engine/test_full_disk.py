"""A job on a full disk: it rests, keeps its claim, loses nothing, and continues by itself."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from service.engine import assignment, ledger, run_job
from service.engine.assignment import Assignment
from service.engine.dispatcher import Dispatcher
from service.engine.ends import ending
from service.engine.ledger import Ledger
from service.engine.workspace import Workspace
from service.jobs import records
from service.jobs.records import JobRecord
from service.jobs.reports import reading
from service.jobs.states import Verb
from service.jobs.steering import verbs
from service.learning.training.events import EpochReport, Progress
from tests.support.full_disk import SmallDisk, small_disk
from tests.support.serving import PATIENCE, wait_for

SHORT: dict[str, Any] = {"epochs": 3, "path": "batches", "from_version": 0, "optimiser": {"rule": "Adam"}}
"""A recipe that ends before anything is written."""
LONG = {**SHORT, "epochs": 5000, "batch_size": 3}
"""Work in which a ledger writes several times."""


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("disk") / "small") as disk:
        yield disk


@pytest.fixture
def tmp_path(disk: SmallDisk) -> Path:
    """The workspace lies on the small disk."""
    return disk.folder


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The epochs whose reports the ledger has taken."""
    epochs: list[float] = []
    note = Ledger.note

    def noting(self: Ledger, event: EpochReport | Progress) -> None:
        note(self, event)
        epochs.append(event.epoch)

    monkeypatch.setattr(Ledger, "note", noting)
    return epochs


@pytest.fixture
def full_from_the_claim_on(disk: SmallDisk, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill the disk once a worker has its job, and before it trains; the worker writes, and tries again, soon."""
    monkeypatch.setattr(ledger, "FLUSH", 0.02)
    for module in (ledger, ending):
        monkeypatch.setattr(module, "FIRST_GAP", 0.05)
    assert workspace.database.reserve is not None
    workspace.database.reserve.fill()
    prepare = assignment.prepare

    def filling(*arguments: Any) -> Assignment:
        disk.fill()
        return prepare(*arguments)

    monkeypatch.setattr(assignment, "prepare", filling)


@contextmanager
def working(workspace: Workspace, job: str) -> Iterator[threading.Thread]:
    """A worker at its job, which has ended with the block."""
    worker = threading.Thread(target=run_job.work_on, args=(workspace, job, "message"), daemon=True)
    worker.start()
    yield worker
    worker.join(timeout=PATIENCE)
    assert not worker.is_alive()


def find(workspace: Workspace, job: str) -> JobRecord:
    with workspace.database.reading() as session:
        return records.find(session, job)


def tries(workspace: Workspace, times: int) -> None:
    """Wait until a full disk was found this many times more."""
    reserve = workspace.database.reserve
    assert reserve is not None
    for _ in range(times):
        before = reserve.marked()
        wait_for(lambda before=before: reserve.marked() > before)  # type: ignore[misc]  # mypy infers no lambda's default


def learned(workspace: Workspace, job: str) -> tuple[Any, list[tuple[int, float]]]:
    """The hash of the parameters, and the loss of each epoch."""
    chunks = reading.chunks(workspace.database, job, 0)
    losses = [(row["epoch"], row["train_loss"]) for chunk in chunks for row in chunk]
    receipt = find(workspace, job).receipt
    assert receipt is not None
    return receipt.parameters_sha256, losses


@pytest.mark.usefixtures("full_from_the_claim_on")
def test_a_job_rests_while_the_disk_is_full_and_loses_nothing(
    workspace: Workspace, disk: SmallDisk, post: Callable[..., str], noted: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = post(**LONG)
    with working(workspace, job):
        tries(workspace, 2)
        held = len(noted)
        tries(workspace, 1)
        assert len(noted) == held < LONG["epochs"]
        assert (find(workspace, job).state, find(workspace, job).attempt) == ("running", 1)

        monkeypatch.setattr("service.jobs.queue.LEASE", 0.0)  # no beat came through: everybody may think it is lost
        Dispatcher(workspace.database, Mock(), Mock())._sweep()
        disk.empty()
        Dispatcher(workspace.database, Mock(), Mock())._sweep()
        assert find(workspace, job).state == "running"
    ended = find(workspace, job)
    assert (ended.state, ended.attempt, ended.losses_of_worker) == ("succeeded", 1, 0)

    monkeypatch.undo()
    again = post(**LONG)
    run_job.work_on(workspace, again, "another")
    assert learned(workspace, again) == learned(workspace, job)


@pytest.mark.usefixtures("full_from_the_claim_on")
def test_the_end_of_a_job_waits_for_room(workspace: Workspace, disk: SmallDisk, post: Callable[..., str]) -> None:
    job = post(**SHORT)
    with working(workspace, job):
        tries(workspace, 2)
        assert find(workspace, job).state == "running"
        disk.empty()
    assert (find(workspace, job).state, find(workspace, job).version) == ("succeeded", 1)
    assert len(learned(workspace, job)[1]) == SHORT["epochs"] + 1


@pytest.mark.parametrize("recipe", [LONG, SHORT])
@pytest.mark.usefixtures("full_from_the_claim_on")
def test_a_running_job_is_cancelled_on_a_full_disk(
    workspace: Workspace, post: Callable[..., str], recipe: dict[str, Any]
) -> None:
    job = post(**recipe)
    with working(workspace, job):
        tries(workspace, 1)
        assert workspace.database.write_urgently(partial(verbs.ask, job=job, verb=Verb.CANCEL)).asked == "cancel"
    assert (find(workspace, job).state, find(workspace, job).version) == ("cancelled", None)


def test_the_room_that_is_kept_back_lasts_for_many_cancellations(
    workspace: Workspace, disk: SmallDisk, post: Callable[..., str]
) -> None:
    waiting = [post(**SHORT) for _ in range(20)]
    assert workspace.database.reserve is not None
    workspace.database.reserve.fill()
    disk.fill()
    for job in waiting:
        assert workspace.database.write_urgently(partial(verbs.ask, job=job, verb=Verb.CANCEL)).state == "cancelled"
