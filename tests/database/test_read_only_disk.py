"""A disk that can only be read, as clients meet it: 503 from all that writes, and a service that heals."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.database.database import Database
from tests.support.full_disk import SmallDisk, small_disk
from tests.support.writes import WRITES, line, refused, serving


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def test_each_write_to_a_read_only_disk_is_503_and_works_later(disk: SmallDisk) -> None:
    with serving(disk.folder) as http:
        database: Database = http.app.state.resources.database  # type: ignore[attr-defined]  # a TestClient has it
        model, dataset = line(http)
        http.post("/api/models", json={"name": "spare", "architecture": "Dense(1 => 1)"})
        job = http.post("/api/jobs", json={"model": model, "dataset": dataset}).json()["id"]
        with closing(sqlite3.connect(f"file:{database.file}?mode=ro", uri=True)) as reader:
            reader.execute("SELECT 1 FROM jobs").fetchall()  # the last one to close, so that the log stays as it is
            database.close()  # no disk can be remounted while files are open to write
        disk.remount("ro")
        for send in WRITES.values():
            refused(send(http, model, dataset), "storage_read_only")
        refused(http.get("/health/ready"), "storage_read_only")
        refused(http.post(f"/api/jobs/{job}/cancel"), "storage_read_only")
        assert http.get("/health/live").status_code == 200
        assert http.post(f"/api/models/{model}/predictions", json={"inputs": [[1]]}).status_code == 200
        assert [path.name for path in (disk.folder / "datasets").iterdir()] == [dataset]

        disk.remount("rw")
        http.get("/health/ready")  # or any other request: the first one finds the connections that cannot write
        assert http.get("/health/ready").status_code == 200
        assert http.post(f"/api/jobs/{job}/cancel").json()["state"] == "cancelled"
        for name, send in WRITES.items():
            assert send(http, model, dataset).is_success, name
