"""Every answered change is on disk, and no change is answered that is not on disk."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from service.database.database import LOG_STAYS, Database
from service.errors import Unavailable
from service.models.records import ModelRecord
from tests.support.applications import application


@pytest.fixture
def http(database: Database, tmp_path: Path) -> TestClient:
    """The real application on this database, without an engine."""
    return TestClient(application(tmp_path, database), "http://localhost", raise_server_exceptions=False)


def count(database: Database, table: str) -> int:
    with database.reading() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - names from this file


def model(id: str, name: str) -> ModelRecord:
    return ModelRecord(id=id, name=name, architecture="Dense(1 => 1)", dtype="float32", parameter_count=2, seeded=True)


@pytest.mark.parametrize(
    ("path", "body", "table"),
    [
        ("/api/models", {"architecture": "Dense(1 => 1)"}, "models"),
        ("/api/datasets", {"columns": {"x": [1], "y": [2]}, "targets": ["y"]}, "datasets"),
    ],
)
@pytest.mark.parametrize(
    ("failure", "status"),
    [(OperationalError("COMMIT", {}, Exception("disk I/O error")), 503), (RuntimeError("no"), 500)],
)
def test_a_failed_commit_is_never_a_2xx(
    http: TestClient,
    database: Database,
    tmp_path: Path,
    path: str,
    body: object,
    table: str,
    failure: Exception,
    status: int,
) -> None:
    def refuse(_connection: object) -> None:
        raise failure

    event.listen(database.engine, "commit", refuse)
    answer = http.post(path, json=body)
    event.remove(database.engine, "commit", refuse)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert count(database, table) == 0
    assert not list(tmp_path.glob("datasets/*"))
    assert http.post(path, json=body).status_code == 201


def test_a_transaction_that_breaks_off_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:  # noqa: PT012 - all of the transaction is meant
        session.add(model("mdl_1", "a"))
        session.flush()
        raise ZeroDivisionError
    assert count(database, "models") == 0


def test_a_writer_that_reads_first_waits_for_its_turn(database: Database) -> None:
    """With BEGIN alone, one of two such writers fails at once: its snapshot is old by the time it writes."""

    def add(name: str) -> None:
        with database.transaction() as session:
            number = session.scalar(text("SELECT count(*) FROM models"))
            session.add(model(f"mdl_{number}", name))

    run_together([partial(add, str(index)) for index in range(8)])
    assert count(database, "models") == 8


def run_together(calls: list[Callable[[], None]]) -> None:
    failures: list[Exception] = []

    def guarded(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - reported below, in the thread that asserts
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)]
)
def test_sqlite_is_set_up_to_keep_what_was_answered(database: Database, pragma: str, value: object) -> None:
    with database.reading() as session:
        assert session.scalar(text(f"PRAGMA {pragma}")) == value


def test_a_writer_that_waits_too_long_is_told_so_and_readers_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.database.database.PATIENCE", 0.05)
    with database.transaction() as session:
        session.add(model("mdl_1", "a"))
        session.flush()
        with pytest.raises(Unavailable), database.transaction():
            pass
        assert count(database, "models") == 0


def test_the_log_of_a_large_transaction_goes_back_to_the_disk(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE large (bytes BLOB)"))
        session.execute(text("INSERT INTO large VALUES (zeroblob(40000000))"))
    assert database.file is not None
    log = database.file.with_name(f"{database.file.name}-wal")
    assert log.stat().st_size > 40_000_000
    for _ in range(2):
        with database.transaction() as session:
            session.execute(text("INSERT INTO large VALUES (x'00')"))
    assert log.stat().st_size == LOG_STAYS
