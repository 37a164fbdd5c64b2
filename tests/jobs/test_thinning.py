"""Reports are thinned in the database, which reads them in the order in which they lie."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, event

from service.database.engine import Database
from service.database.migrate import migrate
from service.jobs import records
from service.jobs.records import JobRecord

LOSSES = np.random.default_rng(0).integers(0, 20, 101).tolist()
"""With many that are equal."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    migrate(database)
    with database.transaction() as session:
        session.add(JobRecord(id="job", model_id="m", dataset_id="d", recipe={}, plan={}, advice=[]))
        session.flush()
        rows: list[dict[str, Any]] = [
            {"job_id": "job", "epoch": epoch, "train_loss": loss, "seconds": 0.0} for epoch, loss in enumerate(LOSSES)
        ]
        records.add_epochs(session, rows)
    yield database
    database.close()


def extremes(first: int, stretch: int) -> list[int]:
    """Of each stretch the first epoch with its least and the first with its greatest loss; and both ends."""
    chosen = {first, len(LOSSES) - 1}
    for start in range(first, len(LOSSES), stretch):
        part = LOSSES[start : start + stretch]
        chosen |= {start + part.index(min(part)), start + part.index(max(part))}
    return sorted(chosen)


@pytest.mark.parametrize("first", [0, 1, 37, 100])
@pytest.mark.parametrize("stretch", [1, 2, 10, 33, 101, 1000])
def test_each_stretch_keeps_its_extremes(database: Database, first: int, stretch: int) -> None:
    with database.reading() as session:
        kept = records.extreme_epochs(session, "job", first, 100, stretch)
    assert [report.epoch for report in kept] == extremes(first, stretch)


def test_stretches_are_read_by_ranges_and_never_grouped(database: Database) -> None:
    plans: list[str] = []

    def explain(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        steps = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.extend(step[3] for step in steps.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    with database.reading() as session:
        records.extreme_epochs(session, "job", 0, 100, 10)
    reads = [step for step in plans if " epochs " in step]
    assert [step.partition("USING")[2] for step in reads] == [
        " PRIMARY KEY (job_id=? AND epoch=?)",
        *[" PRIMARY KEY (job_id=? AND epoch>? AND epoch<?)"] * 2,
    ]
    assert not any("GROUP BY" in step for step in plans)
