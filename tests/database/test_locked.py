"""A database that another program has locked for long, as clients meet it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.writes import WRITES, line, refused, serving


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of the writers within the block."""
    with closing(sqlite3.connect(folder / "descent.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def test_each_write_to_a_locked_database_is_503_and_works_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.database.database.PATIENCE", 0.05)
    with serving(tmp_path) as http:
        model, dataset = line(http)
        http.post("/api/models", json={"name": "spare", "architecture": "Dense(1 => 1)"})
        job = http.post("/api/jobs", json={"model": model, "dataset": dataset}).json()["id"]
        with locked(tmp_path):
            for send in WRITES.values():
                refused(send(http, model, dataset), "busy")
            refused(http.post(f"/api/jobs/{job}/cancel"), "busy")
            refused(http.get("/health/ready"), "busy")
            assert http.get("/health/live").status_code == 200
            assert http.get(f"/api/jobs/{job}").status_code == 200
            assert http.post(f"/api/models/{model}/predictions", json={"inputs": [[1]]}).status_code == 200
            assert [path.name for path in (tmp_path / "datasets").iterdir()] == [dataset]

        assert http.get("/health/ready").status_code == 200
        assert http.post(f"/api/jobs/{job}/cancel").json()["state"] == "cancelled"
        for name, send in WRITES.items():
            assert send(http, model, dataset).is_success, name
