"""A dataset is on the disk whole or not at all, and nothing else is ever removed."""

import errno
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from service.database.database import Database
from service.datasets import operations, records
from service.datasets.formats.json_columns import json_table
from service.datasets.ingest.roles import Most, Options
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Split
from service.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from service.ids import new_id
from service.recovery import recover
from service.storage.storage import Storage

COLUMNS = {"x": [0, 1, 2, 3], "y": [4, 5, 6, 7]}
OPTIONS = Options("line", ["y"], Split(), "float32")
HOUR = 3600


class Crash(BaseException):
    """The end of the process: no handler of mere exceptions may catch it."""


def crash(*_: Any) -> None:
    raise Crash


def store(storage: Storage, options: Options = OPTIONS) -> DatasetRecord:
    return operations.store(storage, json_table(COLUMNS, {}, "float32"), options)


def create(database: Database, storage: Storage) -> DatasetRecord:
    record = store(storage)
    with operations.adding(database, storage, record):
        return record


def names(storage: Storage) -> set[str]:
    return {path.name for path in storage.folder.iterdir()} if storage.folder.is_dir() else set()


def datasets(database: Database) -> list[str]:
    with database.reading() as session:
        return sorted(records.ids(session, "ready"))


def make_older(path: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


def test_arrays_come_back_as_maps_that_nobody_can_write_to(storage: Storage) -> None:
    kept = store(storage)
    opened = storage.open(kept.id, kept.content_hash)
    for name, expected in (("inputs", [[0], [1], [2], [3]]), ("targets", [[4], [5], [6], [7]]), ("numbers", range(4))):
        array = getattr(opened, name)
        np.testing.assert_array_equal(array, expected)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable


def test_arrays_that_are_gone_are_not_found(storage: Storage) -> None:
    kept = store(storage)
    storage.delete(kept.id)
    storage.delete(kept.id)
    with pytest.raises(NotFound):
        storage.open(kept.id, kept.content_hash)
    with pytest.raises(NotFound):
        storage.gram(kept.id, kept.content_hash, "train")


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
    kept = store(storage)

    files = {path.name for path in (storage.folder / kept.id).iterdir()}
    assert files == {"inputs.npy", "targets.npy", "numbers.npy", "train.gram"}
    assert set(steps[:4]) == {("fsync", name) for name in files}
    assert steps[4:] == [("fsync", f".{kept.id}"), ("rename", kept.id), ("fsync", "datasets")]


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_crash_while_files_are_written_leaves_no_dataset(
    storage: Storage, database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(*{"fsync": (os, "fsync"), "rename": (Path, "rename")}[step], crash)
        with pytest.raises(Crash):
            create(database, storage)

    assert datasets(database) == []
    assert names(storage) == set()
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

    for path in (*(storage.folder / orphan).iterdir(), storage.folder / orphan):
        make_older(path, HOUR + 60)
    recover(database, storage, alone=True)
    assert names(storage) == set()


def test_what_is_refused_leaves_no_files(storage: Storage) -> None:
    with pytest.raises(Invalid):
        store(storage, Options("line", ["z"], Split(), "float32"))
    with pytest.raises(TooLarge, match="31 bytes"):
        store(storage, Options("line", ["y"], Split(), "float32", most=Most(31)))  # of 4 × 2 × 4
    assert names(storage) == set()


def test_a_full_disk_is_said_and_leaves_no_files(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(Unavailable, match="no room left"):
        store(storage)
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


def test_a_sweep_removes_only_old_datasets_without_a_row(storage: Storage) -> None:
    known, lost, young, unfinished, started, loading = (new_id("ds") for _ in range(6))
    old = [known, lost, f".{unfinished}", f".{loading}", f".{known}", "notes", ".git"]
    for name, age in (*((name, HOUR + 60) for name in old), (young, HOUR - 60), (f".{started}", HOUR - 60)):
        folder = storage.folder / name
        folder.mkdir(parents=True)
        (folder / "inputs.npy").write_bytes(b"x")
        make_older(folder / "inputs.npy", age)
        make_older(folder, age)

    storage.sweep({known}, {loading})

    assert names(storage) == {known, young, f".{started}", f".{loading}", "notes", ".git"}


def test_a_folder_whose_file_has_just_been_written_to_is_not_old(storage: Storage) -> None:
    folder = storage.folder / f".{new_id('ds')}"
    folder.mkdir(parents=True)
    (folder / "inputs.npy").write_bytes(b"x")
    make_older(folder, 2 * HOUR)
    storage.sweep(set())
    assert folder.exists()


def test_a_sweep_needs_no_folder(storage: Storage) -> None:
    storage.sweep(set())
    assert not storage.folder.exists()


def test_arrays_that_are_damaged_or_may_not_be_read_are_told(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    record = store(storage)
    file = storage.folder / record.id / "inputs.npy"
    whole = file.read_bytes()
    for damaged in (whole[:-4], whole[:40], b"", b"x" * 200):
        file.write_bytes(damaged)
        with pytest.raises(NotFound, match="are damaged: upload it anew, or restore a backup") as found:
            storage.open(record.id, record.content_hash)
        assert found.value.code == "dataset_damaged"
    (file.parent / "train.gram").write_bytes(b"torn")
    with pytest.raises(NotFound, match="are damaged"):
        storage.gram(record.id, record.content_hash, "train")
    monkeypatch.setattr(np, "load", Mock(side_effect=PermissionError(errno.EACCES, "Permission denied")))
    with pytest.raises(Unavailable, match=r"cannot be read \(Permission denied\): the user of the service") as refused:
        storage.open(record.id, record.content_hash)
    assert refused.value.code == "storage_unavailable"
