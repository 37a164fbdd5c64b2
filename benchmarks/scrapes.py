"""The cost of metrics: a scrape of 100,000 jobs, and predictions with and without metrics of their own.

.venv/bin/python -m benchmarks.scrapes

Processor time of the service counts, as Linux tells it of each thread, so that other work on the machine does not: that
of all threads for a scrape, that of the event loop for a prediction.
"""

import argparse
import random
import statistics
import tempfile
from contextlib import closing
from pathlib import Path

import httpx

from service.database.database import Database
from service.telemetry import records as totals
from tests.support.databases import database_in
from tests.support.serving import RunningService, http_client, running_service

ROUNDS = 20
PREDICTIONS = 500
ROWS = {"inputs": [[6]]}
COPIED = """
INSERT INTO jobs SELECT {} FROM jobs, (
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n
)
"""


def fill(folder: Path, jobs: int) -> None:
    """Multiply the one job that there is."""
    with closing(Database(f"sqlite:///{folder / 'descent.db'}")) as database, database.rebuilding() as connection:
        names = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(jobs)")]
        columns = ", ".join("'job_' || printf('%022d', i)" if name == "id" else f'"{name}"' for name in names)
        connection.exec_driver_sql(COPIED.format(columns, jobs))
    with closing(Database(f"sqlite:///{folder / 'descent.db'}")) as database, database.transaction() as session:
        totals.count(session, created=jobs)


def prepared(folder: Path) -> None:
    """Make a model, and one job that has ended."""
    database_in(folder).close()
    with running_service(folder) as service, http_client(service.url) as http:
        data = {"name": "line", "columns": {"x": [0, 1, 2], "y": [2, 6, 10]}, "targets": ["y"]}
        http.post("/api/datasets", json=data).raise_for_status()
        http.post("/api/models", json={"name": "straight", "architecture": "Dense(1 => 1)"}).raise_for_status()
        job = {"model": "straight", "dataset": "line", "epochs": 1}
        http.post("/api/jobs", json=job, headers={"Prefer": "wait=60"}).raise_for_status()


def processor(pid: int, *, loop: bool = False) -> float:
    """Return the seconds that a process has had of processors, or its first thread alone, which runs the event loop."""
    threads = Path(f"/proc/{pid}/task").glob(str(pid) if loop else "*")
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def scrape(service: RunningService, http: httpx.Client) -> float:
    """Return the processor time of a scrape."""
    begun = processor(service.process.pid)
    http.get("/metrics").raise_for_status()
    return processor(service.process.pid) - begun


def prediction(service: RunningService, http: httpx.Client, count: int) -> float:
    """Return the mean processor time of a prediction."""
    begun = processor(service.process.pid, loop=True)
    for _ in range(count):
        http.post("/api/models/straight/predictions", json=ROWS).raise_for_status()
    return (processor(service.process.pid, loop=True) - begun) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--predictions", type=int, default=PREDICTIONS, help="in each of the rounds")
    given = parser.parse_args()
    jobs, count = given.jobs, given.predictions
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        folders = Path(first), Path(second)
        for folder in folders:
            prepared(folder)
        fill(folders[0], jobs)
        port = str(random.randrange(20_000, 30_000))  # noqa: S311 - no secret
        with (
            running_service(folders[0], DESCENT_METRICS_PORT=port) as counted,
            running_service(folders[1]) as plain,
            http_client(counted.url) as ours,
            http_client(plain.url) as theirs,
        ):
            scrapes = [scrape(counted, ours) for _ in range(ROUNDS)]
            pairs = [(prediction(counted, ours, count), prediction(plain, theirs, count)) for _ in range(ROUNDS)]
    print(f"a scrape of {jobs:,} jobs: {statistics.median(scrapes) * 1e3:.1f} ms of processors, median of {ROUNDS}")
    ratio = statistics.median(with_metrics / without for with_metrics, without in pairs)
    print(f"a prediction: {statistics.median(pair[0] for pair in pairs) * 1e6:.0f} µs with metrics, {ratio - 1:+.1%}")


if __name__ == "__main__":
    main()
