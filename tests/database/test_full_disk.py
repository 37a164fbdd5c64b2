"""A full disk as clients meet it: 503 from all that writes, answers from all the rest, and a service that heals."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from service.database.database import Database
from service.database.disk_faults import disk_fault
from service.errors import CannotWrite
from tests.support.databases import database_in
from tests.support.full_disk import SmallDisk, no_more_pages, small_disk
from tests.support.serving import ended_command, running_service, wait_for
from tests.support.writes import DATA, WRITES, line, refused, serving

pytestmark = pytest.mark.waits(25)

LARGE = text("INSERT INTO answers VALUES ('a', '', 0, '', zeroblob(2000000), '2020-01-01', '')")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def test_each_write_on_a_full_disk_is_503_and_works_once_there_is_room(disk: SmallDisk) -> None:
    with serving(disk.folder) as http:
        model, dataset = line(http)
        http.post("/api/models", json={"name": "spare", "architecture": "Dense(1 => 1)"})
        assert http.get("/health/ready").status_code == 200
        disk.fill()
        for send in WRITES.values():
            refused(send(http, model, dataset), "storage_full")
        refused(http.get("/health/ready"), "storage_full")
        assert http.get("/health/live").status_code == 200
        assert http.post(f"/api/models/{model}/predictions", json={"inputs": [[1]]}).status_code == 200
        assert [path.name for path in (disk.folder / "datasets").iterdir()] == [dataset]

        disk.empty()
        assert http.get("/health/ready").status_code == 200
        for send in WRITES.values():
            assert send(http, model, dataset).is_success


def test_a_queued_job_is_cancelled_on_a_full_disk(disk: SmallDisk) -> None:
    with serving(disk.folder) as http:
        model, dataset = line(http)
        job = http.post("/api/jobs", json={"model": model, "dataset": dataset}).json()["id"]
        assert http.get("/health/ready").status_code == 200
        disk.fill()
        answer = http.post(f"/api/jobs/{job}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        assert http.get(f"/api/jobs/{job}").json()["state"] == "cancelled"


def test_a_database_that_may_not_grow_is_not_ready_until_it_may(tmp_path: Path) -> None:
    with serving(tmp_path) as http:
        database: Database = http.app.state.resources.database  # type: ignore[attr-defined]  # a TestClient has it
        with no_more_pages(database):
            refused(http.post("/api/models", json={"architecture": "Dense(100 => 100)"}), "storage_full")
            refused(http.get("/health/ready"), "storage_full")
        assert http.get("/health/ready").status_code == 200


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path: Path) -> None:
    """A quota is one, too: SQLite calls both errors of writing."""
    with closing(database_in(tmp_path)) as database:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        try:
            with pytest.raises(CannotWrite) as full, database.transaction() as session:
                session.execute(LARGE)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert full.value.code == "storage_full"
        with database.transaction() as session:
            session.execute(LARGE)


def test_a_database_that_can_only_be_read_says_so(tmp_path: Path) -> None:
    with closing(database_in(tmp_path)) as database:
        event.listen(database.engine, "checkout", lambda connection, *_: connection.execute("PRAGMA query_only = ON"))
        with pytest.raises(CannotWrite) as refusal, database.transaction() as session:
            session.execute(text("DELETE FROM answers"))
        assert refusal.value.code == "storage_read_only"


def test_other_errors_of_a_database_are_no_faults_of_the_disk() -> None:
    assert disk_fault(DBAPIError("", None, sqlite3.OperationalError("no such table"))) is None
    assert disk_fault(OSError(2, "No such file")) is None


def test_a_service_on_a_full_disk_keeps_its_jobs_and_heals(disk: SmallDisk, tmp_path: Path) -> None:
    options = ("--data", str(disk.folder), "--workers", "2")  # the log lies where it can be written
    with running_service(tmp_path / "elsewhere", *options) as service, service.client() as client:
        xs = [row / 2000 for row in range(2000)]
        dataset = client.create_dataset({"x": xs, "y": xs}, ["y"])
        model = client.create_model("Dense(1 => 1)")
        recipe: dict[str, Any] = {"epochs": 1_000_000, "path": "batches", "batch_size": 16}
        kept, dropped = (client.train(model.id, dataset.id, **recipe) for _ in range(2))
        wait_for(lambda: all(client.job(job.id).epochs_done for job in (kept, dropped)))
        disk.fill()
        wait_for(lambda: all(f"job {job.id} rests" in service.log for job in (kept, dropped)))
        refused(client.http.get("/health/ready"), "storage_full")
        refused(client.http.post("/api/datasets", json=DATA), "storage_full")
        assert client.http.post(f"/api/jobs/{dropped.id}/cancel").status_code == 200
        wait_for(lambda: client.job(dropped.id).state == "cancelled")
        resting = client.job(kept.id)
        assert resting.state == "running"

        disk.empty()
        wait_for(lambda: client.job(kept.id).epochs_done > resting.epochs_done)
        assert (client.job(kept.id).state, client.job(kept.id).losses_of_worker) == ("running", 0)
        assert client.http.get("/health/ready").status_code == 200
        assert "Traceback" not in service.log


def test_tables_that_a_full_disk_cannot_take_are_one_sentence(disk: SmallDisk) -> None:
    disk.fill()
    folder = str(disk.folder / "data")
    served = ended_command("serve", "--port", "0", "--data", folder)
    migrated = ended_command("migrate", DESCENT_DATA=folder)
    assert (served.returncode, migrated.returncode) == (3, 2)
    for printed in (served.stderr, migrated.stderr):
        assert "there is no room left on the disk: free some, and start again." in printed
        assert "Traceback" not in printed
