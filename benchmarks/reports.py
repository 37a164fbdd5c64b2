"""The cost of a job's reports: beside epochs of 10 ms, and a million of them, written and read.

    .venv/bin/python -m benchmarks.reports

A million reports are written as a worker writes them, beside plain inserts of as many rows into a table of their own.
"""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

from service.database.database import Database
from service.engine.assignment import prepare
from service.engine.ledger import Ledger
from service.engine.noted import MOST_REPORTS
from service.engine.workspace import Workspace
from service.jobs import operations, queue, records
from service.jobs.checks.allowed import Allowed
from service.jobs.drafts import draft
from service.jobs.recipe_schemas import NewJob
from service.jobs.reports import reading
from service.jobs.reports import records as reports
from service.jobs.reports.packing import reports_of
from service.learning.training.events import EpochReport
from service.learning.training.training import Training
from service.models.networks import Networks
from service.storage.storage import Storage
from tests.support.serving import running_service

MANY = 1_000_000
PAGE = 1000
"""Reports of a page: the most that a client may ask for."""
EPOCHS = 300
ROWS, WIDTH, HIDDEN = 4096, 32, 96
"""An epoch over these rows, by a network of this size, takes some 10 ms."""
SHARE, TIMES_INSERTS, TIMES_PAGE = 0.03, 2.0, 100.0


def report(epoch: int) -> EpochReport:
    return EpochReport(epoch, 1 / (epoch + 1) + epoch % 7 * 1e-9, None, 0.1, 0.5 / (epoch + 1), 1e-5)


def seconds(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


class Table:
    """A service's database with one job, claimed by a worker of ours; the service itself has ended."""

    def __init__(self, folder: Path) -> None:
        columns = {f"x{column}": [(row * (column + 3)) % 97 / 97 for row in range(ROWS)] for column in range(WIDTH)}
        columns["y"] = [row % 11 / 11 for row in range(ROWS)]
        with running_service(folder, "--workers", "1") as service:
            http = service.client().http
            dataset = http.post("/api/datasets", json={"columns": columns, "targets": ["y"]}).raise_for_status()
            network = f"Chain(Dense({WIDTH} => {HIDDEN}, tanh), Dense({HIDDEN} => 1))"
            model = http.post("/api/models", json={"architecture": network, "seed": 1}).raise_for_status()
        needs = {"model": model.json()["id"], "dataset": dataset.json()["id"]}
        self.body = {**needs, "batch_size": 1024, "epochs": EPOCHS, "optimiser": {"rule": "Descent", "eta": 1e-4}}
        self.database = Database(f"sqlite:///{folder / 'descent.db'}", synchronous="NORMAL")
        self.storage = Storage(folder / "datasets", folder / "cache")

    def claimed(self) -> records.JobRecord:
        new = draft(self.database, self.storage, Networks(), NewJob.model_validate(self.body), Allowed(4 << 30))
        with self.database.transaction() as session:
            job = operations.enqueue(session, new).id
            queue.claim(session, job, f"of {job}")
        with self.database.reading() as session:
            return records.find(session, job)


def bookkeeping(table: Table) -> float:
    """Print and return the share of the processor time of a training that its ledger takes."""
    workspace = Workspace(table.database, table.database, table.storage)

    def training() -> tuple[records.JobRecord, Training]:
        record = table.claimed()
        return record, prepare(workspace, record).training

    def alone() -> float:
        _, plain = training()
        began = time.process_time()
        for _ in plain.run():
            pass
        return time.process_time() - began

    def kept() -> float:
        record, watched = training()
        began = time.process_time()
        with Ledger(table.database, record, 1, None) as ledger:
            ledger.watch(watched)
            for event in watched.run():
                ledger.note(event)
        with table.database.transaction() as session:
            ledger.flush(session)
        return time.process_time() - began

    alone(), kept()
    pairs = [(alone(), kept()) for _ in range(5)]
    plain = median(each[0] for each in pairs)
    share = median(after / before - 1 for before, after in pairs)
    print(f"bookkeeping: {share:.1%} of an epoch of {plain / EPOCHS * 1e3:.1f} ms (under {SHARE:.0%} wanted)")
    return share


def plain_inserts(folder: Path) -> float:
    """Seconds in which as many rows of plain columns come into a table, in transactions of as many as a worker's."""
    with closing(sqlite3.connect(folder / "plain.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE epochs (job TEXT, epoch INTEGER, train REAL, validation REAL, rate REAL, norm REAL, "
            "seconds REAL, PRIMARY KEY (job, epoch)) WITHOUT ROWID"
        )

        def insert() -> None:
            for block in blocks():
                connection.execute("BEGIN IMMEDIATE")
                rows = (("job", *each) for each in block)
                connection.executemany("INSERT INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                connection.execute("COMMIT")

        return seconds(insert)


def blocks() -> Iterator[list[EpochReport]]:
    for start in range(0, MANY, MOST_REPORTS):
        yield [report(epoch) for epoch in range(start, start + MOST_REPORTS)]


def many(table: Table, folder: Path) -> tuple[float, float]:
    """Print and return how often the time of plain inserts a million reports take, and how often that of a page they
    take to be read thinned.
    """
    job = table.claimed().id

    def write() -> None:
        for block in blocks():
            with table.database.transaction() as session:
                reports.add(session, job, reports_of(block))

    written, inserted = seconds(write), plain_inserts(folder)
    with table.database.transaction() as session:
        records.find(session, job).epochs_done = MANY - 1
    page = median(seconds(lambda: reading.page(table.database, job, MANY // 2, PAGE, None)) for _ in range(9))
    curve = median(seconds(lambda: reading.curve(table.database, job, 0, 500)) for _ in range(5))
    print(
        f"{MANY:,} reports: written in {written:.1f} s, plain rows in {inserted:.1f} s ({written / inserted:.2f} times)"
    )
    print(f"read: {PAGE} in {page * 1e3:.1f} ms, thinned to 500 in {curve * 1e3:.0f} ms ({curve / page:.0f} times)")
    return written / inserted, curve / page


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = Table(folder / "data")
        times_inserts, times_page = many(table, folder)
        share = bookkeeping(table)
        table.database.close()
    met = share < SHARE and times_inserts <= TIMES_INSERTS and times_page <= TIMES_PAGE
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
