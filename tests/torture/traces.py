"""The rows and files that jobs leave in a data folder, read once the service has ended."""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.database.database import Database
from service.jobs.log import records as log_of_jobs
from service.jobs.log.records import Happening
from service.jobs.records import JobRecord
from service.jobs.reports import records as kept
from service.jobs.reports.packing import SECONDS
from service.models.records import PointRecord, VersionRecord
from service.storage.storage import HOUR

FILES = {"datasets", "descent.db", "descent.db.lock", "descent.db.reserve", "scratch", "cache", "log"}
"""All that a data folder may hold."""
MOST_SCRATCH = 4
"""Folders and locks of the last workers, which the next ones remove."""
NOTHING = {
    "checkpoints": "SELECT job_id FROM checkpoints",
    "jobs that have not ended": "SELECT id FROM jobs WHERE state NOT IN ('succeeded', 'failed', 'cancelled')",
    "holds": "SELECT id FROM jobs WHERE coalesce(held_model_id, held_version, held_dataset_id) IS NOT NULL",
    "requests": "SELECT id FROM jobs WHERE coalesce(asked, pending) IS NOT NULL",
    "points of no version": "SELECT job_id FROM points WHERE job_id NOT IN "
    "(SELECT job_id FROM versions WHERE job_id IS NOT NULL)",
    "last parameters beside a version": "SELECT id FROM jobs JOIN last_parameters ON job_id = id "
    "WHERE state = 'succeeded'",
    "versions of no job": "SELECT job_id FROM versions WHERE number > 0 AND job_id NOT IN "
    "(SELECT id FROM jobs WHERE state = 'succeeded' AND verifies IS NULL)",
    "jobs with no version, or with two": "SELECT id FROM jobs LEFT JOIN versions ON job_id = id "
    "WHERE state = 'succeeded' AND verifies IS NULL GROUP BY id HAVING count(job_id) != 1",
    "gaps between versions": "SELECT model_id FROM versions GROUP BY model_id HAVING count(*) != max(number) + 1",
    "reports of verifications": "SELECT job_id FROM reports JOIN jobs ON id = job_id WHERE verifies IS NOT NULL",
    "datasets that load": "SELECT id FROM datasets WHERE state != 'ready'",
}
"""Queries that find nothing once all jobs have ended."""
CREATED = {"jobs": "SELECT id FROM jobs", "datasets": "SELECT id FROM datasets"}


@dataclass
class Trace:
    """All that one job leaves."""

    state: str
    error: str | None
    epochs_done: int
    attempt: int
    losses_of_worker: int
    yields: int
    """Times that it gave its worker to a short job."""
    releases: int
    """Times that its worker was stopped with the service, or to be replaced."""
    is_verification: bool
    is_identical: bool
    """Of a verification: whether the bytes were the same."""
    parameters: bytes | None = None
    points: dict[int, bytes] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    losses: bytes = b""
    """Losses, rates and norms of these epochs."""

    @property
    def is_gapless(self) -> bool:
        """Whether there is one report of each epoch; a job that was cancelled early has none."""
        nothing = self.is_verification or (self.state == "cancelled" and not self.epochs_done)
        return self.epochs == list(range(self.epochs_done + 1)) or (nothing and not self.epochs)

    def differences(self, other: "Trace") -> list[str]:
        return [
            part for part in ("epochs", "losses", "parameters", "points") if getattr(self, part) != getattr(other, part)
        ]


def traces(folder: Path) -> dict[str, Trace]:
    """Return what each job has left, by its id."""
    with closing(Database(f"sqlite:///{folder / 'descent.db'}")) as database, database.reading() as session:
        found = {record.id: _trace(session, record) for record in session.scalars(select(JobRecord))}
        for job, parameters in session.execute(select(VersionRecord.job_id, VersionRecord.parameters)):
            if job is not None:
                found[job].parameters = parameters
        for job, epoch, parameters in session.execute(
            select(PointRecord.job_id, PointRecord.epoch, PointRecord.parameters)
        ):
            found[job].points[epoch] = parameters
    return found


def _trace(session: Session, record: JobRecord) -> Trace:
    reports = list(kept.blocks(session, record.id, 0))
    return Trace(
        state=record.state,
        error=None if record.error is None else record.error.detail,
        epochs_done=record.epochs_done,
        attempt=record.attempt,
        losses_of_worker=record.losses_of_worker,
        yields=log_of_jobs.count(session, record.id, Happening.YIELDED),
        releases=log_of_jobs.count(session, record.id, Happening.RELEASED),
        is_verification=record.verifies is not None,
        is_identical=record.verification is not None and record.verification.identical,
        epochs=[int(epoch) for each in reports for epoch in each.epochs],
        losses=np.concatenate([np.delete(each.values, SECONDS, axis=1) for each in reports]).tobytes()
        if reports
        else b"",
    )


def let_an_hour_pass(folder: Path) -> None:
    """Set back the times of all files, as if nobody had touched them for more than an hour."""
    before = time.time() - 2 * HOUR
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (before, before))


def leftovers(folder: Path, jobs: list[str], datasets: list[str]) -> list[str]:
    """Return what is there and should not be, or is missing: rows, files and folders."""
    with closing(sqlite3.connect(folder / "descent.db")) as connection:
        left = {name: [row[0] for row in connection.execute(query)] for name, query in NOTHING.items()}
        created = {name: {row[0] for row in connection.execute(query)} for name, query in CREATED.items()}
    broken = [f"{name}: {', '.join(map(str, found))}" for name, found in left.items() if found]
    files = {path.name for path in (folder / "datasets").iterdir()}
    broken += [f"created other than once: job {each}" for each in sorted(created["jobs"] ^ set(jobs))]
    broken += [f"created other than once: dataset {each}" for each in sorted(created["datasets"] ^ set(datasets))]
    broken += [f"a dataset without files, or the other way round: {each}" for each in sorted(files ^ set(datasets))]
    broken += [f"a file is left: {each}" for each in sorted({path.name for path in folder.iterdir()} - FILES)]
    scratch = [path.name for path in (folder / "scratch").glob("*/worker-*")]
    return broken + ([] if len(scratch) <= MOST_SCRATCH else [f"scratch of dead workers is left: {', '.join(scratch)}"])
