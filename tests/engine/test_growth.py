"""Databases grow by about the bytes of a job's plan."""

from collections.abc import Callable
from typing import Any

import pytest

from service.database.database import Database
from service.engine.run_job import work_on
from service.engine.workspace import Workspace
from service.jobs import records
from service.jobs.states import State

PAGE = 4096


def size(database: Database) -> int:
    with database.engine.connect() as connection:
        return PAGE * int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


@pytest.mark.parametrize(
    "recipe",
    [
        {"epochs": 1},
        {"epochs": 100_000},
        {"epochs": 20_000, "optimiser": {"rule": "Adam", "eta": 1e-6}},
        {"epochs": 5_000, "path": "batches"},
        {"epochs": 5_000, "schedule": {"name": "Inv", "start": 1e-6, "decay": 0.1, "degree": 1}},
        {"epochs": 5_000, "keep_every": 5},
    ],
    ids=str,
)
def test_a_database_grows_by_what_was_planned(
    workspace: Workspace, post: Callable[..., str], recipe: dict[str, Any]
) -> None:
    """Between three quarters and one and a tenth of it, give or take four pages; less where losses come to rest."""
    before = size(workspace.database)
    job = post(**{"optimiser": {"rule": "Descent", "eta": 1e-6}, **recipe})
    work_on(workspace, job, "a")
    grown = size(workspace.database) - before
    with workspace.database.reading() as session:
        record = records.find(session, job)
    assert record.state == State.SUCCEEDED
    assert record.plan.bytes is not None
    assert 0.75 * record.plan.bytes - 4 * PAGE <= grown <= 1.1 * record.plan.bytes + 4 * PAGE
