"""A database, a model, a dataset and queued jobs, without a server: for tests of engine and table."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from service.database.database import Database
from service.datasets import operations as datasets
from service.datasets.formats.json_columns import json_table
from service.datasets.schemas import Split
from service.engine import ledger
from service.engine.ledger import Ledger
from service.engine.workspace import Workspace
from service.jobs import drafts
from service.jobs import operations as jobs
from service.jobs.checks.allowed import Allowed
from service.jobs.recipe_schemas import NewJob
from service.learning.training.events import EpochReport, Progress
from service.models import blueprints
from service.models import operations as models
from service.models.networks import Networks
from service.models.schemas import NewModel
from service.storage.storage import Storage
from tests.support.databases import database_in
from tests.support.serving import wait_for


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    database = database_in(tmp_path)
    beats = Database(database.url, synchronous="NORMAL")
    yield Workspace(database, beats, Storage(tmp_path / "datasets", tmp_path / "cache"))
    database.close()
    beats.close()


@pytest.fixture
def post(workspace: Workspace) -> Callable[..., str]:
    """Post a job for a straight line, and return its id."""
    table = json_table({"x": list(range(6)), "y": [4 * x + 2 for x in range(6)]}, {}, "float32")
    record = datasets.store(workspace.storage, table, datasets.Options("line", ["y"], Split(), "float32"))
    with datasets.adding(workspace.database, workspace.storage, record):
        pass
    blueprint = blueprints.blueprint(
        NewModel.model_validate({"architecture": "Dense(1 => 1)"}), blueprints.Largest(100)
    )
    with workspace.database.transaction() as session:
        models.create(session, "straight", blueprint)

    def send(submitter: str = "", **recipe: Any) -> str:
        new = NewJob.model_validate({"model": "straight", "dataset": "line", **recipe})
        draft = drafts.draft(workspace.database, workspace.storage, Networks(), new, Allowed(4 << 30), submitter)
        with workspace.database.transaction() as session:
            return jobs.enqueue(session, draft).id

    return send


Act = Callable[[Session, str], object]


@pytest.fixture
def at_epoch(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Act], None]:
    """Let a client act on a job as soon as a worker has done an epoch, and the worker hear of it before the next."""
    note = Ledger.note

    def arrange(epoch: int, act: Act) -> None:
        heard: set[str] = set()

        def noting(self: Ledger, event: EpochReport | Progress) -> None:
            note(self, event)
            if isinstance(event, EpochReport) and event.epoch == epoch and not self._verifies and self.job not in heard:
                heard.add(self.job)
                with workspace.database.transaction() as session:
                    act(session, self.job)
                wait_for(lambda: self.wished)

        monkeypatch.setattr(Ledger, "note", noting)

    monkeypatch.setattr(ledger, "FLUSH", 0.01)
    monkeypatch.setattr(ledger, "FLUSH_FACTOR", 1)
    return arrange
