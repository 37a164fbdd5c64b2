"""A dataset is on the disk whole or not at all, and nothing else is ever removed."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.database.columns import new_id
from service.database.engine import Database
from service.database.migrate import migrate
from service.datasets import operations, records
from service.datasets.operations import Options
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Split
from service.datasets.storage import Arrays, Storage
from service.engine.recovery import recover
from service.errors import Conflict, NotFound

COLUMNS = {"x": np.arange(4, dtype=np.float32), "y": np.arange(4, dtype=np.float32)}
OPTIONS = Options("line", ["y"], Split(), "float32")
HOUR = 3600


class Crash(BaseException):
    """The process ends here: nothing that catches mere exceptions may go on."""


def crash(*_: Any) -> None:
    raise Crash


def create(database: Database, storage: Storage) -> DatasetRecord:
    record = operations.store(storage, COLUMNS, OPTIONS)
    with operations.adding(database, storage, record):
        return record


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "datasets")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    migrate(database)
    yield database
    database.close()


def arrays() -> Arrays:
    return Arrays(np.ones((3, 2), np.float32), np.zeros((3, 1), np.float32), np.arange(3))


def names(storage: Storage) -> set[str]:
    return {path.name for path in storage.folder.iterdir()} if storage.folder.is_dir() else set()


def datasets(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(records.all_ids(session))


def make_older(path: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_arrays_come_back_as_maps_that_nobody_can_write_to(storage: Storage) -> None:
    storage.write("ds_1", arrays())
    opened = storage.open("ds_1")
    for name in ("inputs", "targets", "numbers"):
        kept = getattr(opened, name)
        np.testing.assert_array_equal(kept, getattr(arrays(), name))
        assert isinstance(kept, np.memmap)
        assert not kept.flags.writeable


def test_arrays_that_are_gone_are_not_found(storage: Storage) -> None:
    storage.write("ds_1", arrays())
    storage.delete("ds_1")
    storage.delete("ds_1")
    with pytest.raises(NotFound):
        storage.open("ds_1")


def test_files_are_on_the_disk_before_they_get_their_name(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[str, str]] = []
    fsync, rename = os.fsync, Path.rename

    def synced(handle: int) -> None:
        steps.append(("fsync", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def renamed(path: Path, target: Path) -> Path:
        steps.append(("rename", target.name))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    storage.write("ds_1", arrays())

    assert steps == [
        *(("fsync", f"{name}.npy") for name in ("inputs", "targets", "numbers")),
        ("fsync", ".ds_1"),
        ("rename", "ds_1"),
        ("fsync", "datasets"),
    ]


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_crash_while_files_are_written_leaves_no_dataset(
    storage: Storage, database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(*{"fsync": (os, "fsync"), "rename": (Path, "rename")}[step], crash)
        with pytest.raises(Crash):
            create(database, storage)

    assert datasets(database) == []
    assert all(name.startswith(".") for name in names(storage))
    assert create(database, storage).name == "line"


def test_a_crash_before_the_row_leaves_files_that_a_later_start_removes(
    storage: Storage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", crash)
        patch.setattr(Storage, "delete", crash)  # a process that is gone cleans nothing up
        with pytest.raises(Crash):
            create(database, storage)
    assert datasets(database) == []
    (orphan,) = names(storage)

    recover(database, storage, alone=True)
    assert names(storage) == {orphan}  # somebody may be about to write its row

    make_older(storage.folder / orphan, HOUR + 60)
    recover(database, storage, alone=True)
    assert names(storage) == set()


def test_a_row_that_cannot_be_written_leaves_no_files(storage: Storage, database: Database) -> None:
    kept = create(database, storage)
    with pytest.raises(Conflict):
        create(database, storage)
    assert names(storage) == {kept.id}


def test_a_delete_that_fails_keeps_the_files(
    storage: Storage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = create(database, storage)
    with monkeypatch.context() as patch:
        patch.setattr(database, "transaction", crash)
        with pytest.raises(Crash):
            operations.delete(database, storage, "line")
    assert datasets(database) == [kept.id]
    assert names(storage) == {kept.id}


def test_a_sweep_removes_only_datasets_without_a_row_that_are_older_than_an_hour(storage: Storage) -> None:
    known, lost, young, unfinished, started = (new_id("ds") for _ in range(5))
    folders = [known, lost, young, f".{unfinished}", f".{started}", "notes", ".git"]
    for name in folders:
        (storage.folder / name).mkdir(parents=True)
        (storage.folder / name / "inputs.npy").write_bytes(b"x")
    for name in (known, lost, f".{unfinished}", "notes", ".git"):
        make_older(storage.folder / name, HOUR + 60)
    for name in (young, f".{started}"):
        make_older(storage.folder / name, HOUR - 60)

    storage.sweep({known})

    assert names(storage) == {known, young, f".{started}", "notes", ".git"}


def test_a_sweep_needs_no_folder(storage: Storage) -> None:
    storage.sweep(set())
    assert not storage.folder.exists()
