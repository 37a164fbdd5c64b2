"""A job whose data cannot be had when it begins: it rests, keeps its claim, and continues by itself."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from service.engine import run_job
from service.engine.workspace import Workspace
from service.errors import CannotWrite, Unavailable
from service.jobs import operations
from service.jobs.states import Verb
from service.jobs.steering import verbs
from service.storage.storage import Storage
from tests.support.serving import PATIENCE, wait_for

OUT_OF_REACH = Unavailable("The storage is out of reach.", "storage_unavailable")
NO_ROOM = CannotWrite("There is no room for a copy.", "storage_full")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """The faults with which a dataset's arrays will be refused, the last first; then they are opened."""
    faults: list[Exception] = []
    open_arrays = Storage.open

    def hesitating(self: Storage, *arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return open_arrays(self, *arguments)

    monkeypatch.setattr(Storage, "open", hesitating)
    return faults


@pytest.mark.parametrize("fault", [OUT_OF_REACH, NO_ROOM], ids=["out of reach", "no room"])
def test_a_job_rests_until_its_data_can_be_had(
    workspace: Workspace, post: Callable[..., str], opened: list[Exception], fault: Exception
) -> None:
    job = post(epochs=3)
    opened.append(fault)
    run_job.work_on(workspace, job, "message")
    record = operations.show(workspace.database, job)
    assert (record.state, record.losses_of_worker, record.attempt, opened) == ("succeeded", 0, 1, [])


def test_a_job_that_rests_is_cancelled_at_once(
    workspace: Workspace, post: Callable[..., str], opened: list[Exception]
) -> None:
    job = post(epochs=3)
    opened += [OUT_OF_REACH] * 100
    worker = threading.Thread(target=run_job.work_on, args=(workspace, job, "message"), daemon=True)
    worker.start()
    wait_for(lambda: len(opened) < 100)
    with workspace.database.transaction() as session:
        verbs.ask(session, job, Verb.CANCEL)
    worker.join(PATIENCE)
    assert not worker.is_alive()
    assert operations.show(workspace.database, job).state == "cancelled"
