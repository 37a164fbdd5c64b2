"""Datasets that were loading when their service ended: removed at the next start, or after long silence."""

from datetime import timedelta
from pathlib import Path

from service.database.database import Database
from service.database.record import now
from service.datasets import records
from service.datasets.records import DatasetRecord
from service.ids import new_id
from service.recovery import recover, remove_abandoned
from service.storage.storage import Storage
from tests.support.datasets.uploading import HEADER, SlowUpload, lines, upload
from tests.support.serving import GRACE, RunningService, wait_for


def add(database: Database, storage: Storage, *, state: str, silence: timedelta) -> str:
    """A dataset with a beat of this age, and files as they are in that state."""
    id = new_id("ds")
    record = DatasetRecord(
        id=id,
        name=id,
        features=[],
        targets=[],
        train_rows=0,
        validation_rows=0,
        test_rows=0,
        dtype="float32",
        state=state,
        beat=now() - silence,
        statistics=[],
    )
    with database.transaction() as session:
        session.add(record)
    (storage.folder / (id if state == "ready" else f".{id}")).mkdir(parents=True)
    return id


def left(database: Database, storage: Storage) -> set[str]:
    """The ids of all rows; each has its files."""
    with database.reading() as session:
        ids = records.ids(session, "ready") | records.ids(session, "loading")
    assert {path.name.removeprefix(".") for path in storage.folder.iterdir()} == ids
    return ids


LONG, SHORT = records.LEASE + timedelta(seconds=5), records.LEASE - timedelta(seconds=60)


def test_a_service_that_is_alone_removes_all_that_was_loading(database: Database, storage: Storage) -> None:
    ready = add(database, storage, state="ready", silence=LONG)
    add(database, storage, state="loading", silence=LONG)
    add(database, storage, state="loading", silence=timedelta())
    recover(database, storage, alone=True)
    assert left(database, storage) == {ready}


def test_other_services_remove_what_was_not_heard_of_for_the_lease(database: Database, storage: Storage) -> None:
    ready = add(database, storage, state="ready", silence=LONG)
    add(database, storage, state="loading", silence=LONG)
    loading = add(database, storage, state="loading", silence=SHORT)
    remove_abandoned(database, storage)
    assert left(database, storage) == {ready, loading}
    add(database, storage, state="loading", silence=LONG)
    recover(database, storage, alone=False)
    assert left(database, storage) == {ready, loading}


def test_nothing_is_left_of_an_upload_after_a_kill_and_a_start(folder: Path) -> None:
    service = RunningService(folder, DESCENT_WORKERS="1")
    with service.client() as client:
        assert upload(client.http, HEADER + lines(3), name="kept").status_code == 201
        sending = SlowUpload(service.url, HEADER + lines(200_000), lines(1), name="lost")
        try:
            wait_for(lambda: client.http.get("/api/datasets/lost").status_code == 200)
            assert len(list((folder / "datasets").iterdir())) == 2
        finally:
            service.kill()
            sending.finish()
    again = RunningService(folder, DESCENT_WORKERS="1")
    try:
        with again.client() as client:
            assert [each["name"] for each in client.http.get("/api/datasets").json()["items"]] == ["kept"]
            assert len(list((folder / "datasets").iterdir())) == 1
            assert upload(client.http, HEADER + lines(3), name="lost").status_code == 201
            assert client.http.get("/api/datasets/kept/rows").status_code == 200
    finally:
        again.stop()


def test_a_stop_does_not_wait_for_an_upload_and_leaves_nothing_of_it(folder: Path) -> None:
    service = RunningService(folder, DESCENT_WORKERS="1")
    with service.client() as client:
        sending = SlowUpload(service.url, HEADER + lines(200_000), lines(1), name="lost")
        try:
            wait_for(lambda: client.http.get("/api/datasets/lost").status_code == 200)
            assert service.stop() < GRACE
        finally:
            sending.finish()
    database = Database(f"sqlite:///{folder / 'descent.db'}")
    with database.reading() as session:
        assert records.ids(session, "loading") == set()
    database.close()
    assert list((folder / "datasets").iterdir()) == []
