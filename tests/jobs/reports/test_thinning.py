"""Reports are read the same whether they are rows, as before there were blocks, in blocks, or both."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, event, insert

from service.database.database import Database
from service.jobs.recipe import JobRecipe, Plan
from service.jobs.records import JobRecord
from service.jobs.reports import reading
from service.jobs.reports import records as reports
from service.jobs.reports.packing import BLOCK, Reports, reports_of
from service.jobs.reports.records import EpochRecord, ReportsRecord
from tests.support.databases import database_in

COUNT = 3 * BLOCK + 101
LOSSES = np.random.default_rng(0).integers(0, 20, COUNT).tolist()
"""With many that are equal."""
ROWS = [(epoch, float(loss), None, 0.1, epoch / 3, 0.25) for epoch, loss in enumerate(LOSSES)]


def add_rows(database: Database, stop: int) -> None:
    """Write the first reports as a service did that knew no blocks."""
    columns = EpochRecord.__table__.columns.keys()
    with database.transaction() as session:
        if stop:
            session.execute(
                insert(EpochRecord), [dict(zip(columns, ("job", *row), strict=True)) for row in ROWS[:stop]]
            )


def add_blocks(database: Database, start: int, flush: int) -> None:
    """Write the other reports in blocks, `flush` reports a flush."""
    for begin in range(start, COUNT, flush):
        with database.transaction() as session:
            reports.add(session, "job", reports_of(ROWS[begin : begin + flush]))


@pytest.fixture(
    scope="module",
    params=[(COUNT, 1), (0, 1000), (0, 41), (60, 20_000), (BLOCK + 1, 100)],
    ids=["rows", "blocks", "small flushes", "few rows, then blocks", "rows, then blocks"],
)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = database_in(tmp_path_factory.mktemp("reports"))
    with database.transaction() as session:
        recipe = JobRecipe(from_version=0, epochs=COUNT - 1, loss="mse", optimiser={"rule": "Descent"})
        plan = Plan(2, "quadratic", 1, 1.0)
        record = JobRecord(id="job", model_id="m", dataset_id="d", recipe=recipe, plan=plan, advice=[])
        record.epochs_done = COUNT - 1
        session.add(record)
    rows, flush = request.param
    add_rows(database, rows)
    add_blocks(database, rows, flush)
    yield database
    database.close()


def rows_of(found: Reports) -> list[tuple[Any, ...]]:
    return [tuple(report.values()) for report in found.to_json()]


@pytest.mark.parametrize("limit", [1, 50, BLOCK + 1, 10_000])
def test_reports_from_any_epoch_are_those_that_were_written(database: Database, limit: int) -> None:
    for start in (0, 59, 60, 61, BLOCK - 1, BLOCK, 2 * BLOCK + 3, COUNT - 1, COUNT):
        with database.reading() as session:
            assert rows_of(reports.read(session, "job", start, limit)) == ROWS[start : start + limit]
            assert rows_of(reports.read(session, "another", start, limit)) == []


def test_the_last_epoch_is_that_of_the_last_report(database: Database) -> None:
    with database.reading() as session:
        assert reports.last_epoch(session, "job") == COUNT - 1
        assert reports.last_epoch(session, "another") is None


def test_chunks_hold_every_report_once(database: Database) -> None:
    found = [report["epoch"] for rows in reading.chunks(database, "job", 17) for report in rows]
    assert found == list(range(17, COUNT))


def extremes(first: int, stretch: int) -> set[int]:
    """The first epoch with the least and the first with the greatest loss of each stretch, and both ends."""
    chosen = {first, COUNT - 1}
    for start in range(first, COUNT, stretch):
        part = LOSSES[start : start + stretch]
        chosen |= {start + part.index(min(part)), start + part.index(max(part))}
    return chosen


@pytest.mark.parametrize("points", [2, 10, 300, 10_000])
def test_each_stretch_keeps_its_extremes(database: Database, points: int) -> None:
    for first in (0, 1, 37, BLOCK + 100, COUNT - 1):
        stretch = max(1, -(-2 * (COUNT - first) // max(1, points - 2)))
        kept = reading.curve(database, "job", first, points)
        assert [report["epoch"] for report in kept] == sorted(extremes(first, stretch))
        assert [tuple(report.values()) for report in kept] == [ROWS[report["epoch"]] for report in kept]


def test_small_flushes_fill_the_last_block(database: Database) -> None:
    with database.reading() as session:
        lengths = [block.length for block in session.query(ReportsRecord).order_by(ReportsRecord.epoch)]
    assert all(length == BLOCK for length in lengths[:-1])


def test_stretches_of_rows_are_read_by_ranges_and_never_grouped(database: Database) -> None:
    plans: list[str] = []

    def explain(connection: Connection, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        steps = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.extend(step[3] for step in steps.fetchall())

    with database.reading() as session:
        has_rows = len(reports.extreme_rows(session, "job", 0, COUNT - 1, 100)) > 0
    event.listen(database.engine, "before_cursor_execute", explain)
    with database.reading() as session:
        reports.extreme_rows(session, "job", 0, COUNT - 1, 100)
    event.remove(database.engine, "before_cursor_execute", explain)
    reads = [step.partition("USING")[2] for step in plans if " epochs " in step]
    assert reads[0] == " PRIMARY KEY (job_id=? AND epoch>?)"
    if has_rows:
        assert reads[1:] == [
            " PRIMARY KEY (job_id=? AND epoch=?)",
            *[" PRIMARY KEY (job_id=? AND epoch>? AND epoch<?)"] * 2,
        ]
    assert not any("GROUP BY" in step for step in plans)
