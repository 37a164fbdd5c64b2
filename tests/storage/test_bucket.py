"""Datasets in a bucket of S3: a real server, its clients, and their copies on the disk."""

import os
import shutil
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from service.client import Client
from service.datasets import operations
from service.datasets.formats.json_columns import json_table
from service.datasets.records import DatasetRecord
from service.datasets.schemas import Split
from service.errors import CannotWrite, NotFound, Unavailable
from service.ids import new_id
from service.settings import Settings
from service.startup.preparation import Refused, check
from service.storage import storage
from service.storage.bucket import Bucket
from service.storage.storage import Storage
from tests.storage.conftest import KEYS
from tests.support.full_disk import small_disk
from tests.support.serving import RunningService, ended_command, running_service
from tests.support.training import line, straight

pytestmark = pytest.mark.waits(15)

HOUR = 3600


def store(storage: Storage, xs: list[float]) -> DatasetRecord:
    table = json_table({"x": xs, "y": xs}, {}, "float32")
    return operations.store(storage, table, operations.Options(None, ["y"], Split(), "float32"))


def kept(storage: Storage) -> set[str]:
    return {path.name for path in storage.folder.iterdir()} if storage.folder.exists() else set()


def test_what_one_stores_another_maps_from_its_own_copy(here: Storage, elsewhere: Storage) -> None:
    record = store(here, [1, 2, 3])
    for each in (here, elsewhere):
        arrays = each.open(record.id, record.content_hash)
        np.testing.assert_array_equal(arrays.inputs, [[1], [2], [3]])
        assert isinstance(arrays.inputs, np.memmap)
        gram = each.gram(record.id, record.content_hash, "train")
        assert gram is not None
        assert gram.rows == 3
        assert each.gram(record.id, record.content_hash, "validation") is None
        assert kept(each) == {record.content_hash}


def test_equal_data_is_copied_once(here: Storage, elsewhere: Storage) -> None:
    one, same = store(here, [1, 2]), store(here, [1, 2])
    assert one.id != same.id
    for record in (one, same):
        elsewhere.open(record.id, record.content_hash)
    assert kept(here) == kept(elsewhere) == {one.content_hash}
    here.delete(one.id)
    np.testing.assert_array_equal(elsewhere.open(same.id, same.content_hash).inputs, [[1], [2]])


def test_what_is_deleted_is_gone_everywhere(here: Storage, elsewhere: Storage, address: str) -> None:
    record = store(here, [1, 2])
    here.delete(record.id, record.content_hash)
    here.delete(record.id, record.content_hash)
    assert kept(here) == set()
    assert Bucket(address).folders() == {}
    with pytest.raises(NotFound) as gone:
        elsewhere.open(record.id, record.content_hash)
    assert gone.value.code == "dataset_gone"
    assert kept(elsewhere) == set()


def test_many_who_open_a_dataset_at_once_all_get_it(here: Storage, address: str, tmp_path: Path) -> None:
    record = store(here, list(range(10_000)))
    sums: list[float] = []

    def open_it() -> None:
        arrays = Storage(address, tmp_path / "shared").open(record.id, record.content_hash)
        sums.append(float(arrays.inputs.sum()))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [sum(range(10_000))] * 4
    assert kept(Storage(address, tmp_path / "shared")) == {record.content_hash}


def test_a_copy_that_another_removes_is_made_again(here: Storage, elsewhere: Storage) -> None:
    record = store(here, [1, 2])
    elsewhere.open(record.id, record.content_hash)
    for file in (elsewhere.folder / record.content_hash).iterdir():
        file.unlink()
    (elsewhere.folder / record.content_hash).rmdir()
    np.testing.assert_array_equal(elsewhere.open(record.id, record.content_hash).inputs, [[1], [2]])


def evict(copy: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let another process remove a copy in the moment in which it has got its name, `times` times."""
    rename, left = Path.rename, [None] * times

    def rename_and_lose(self: Path, target: Path) -> Path:
        renamed = rename(self, target)
        if target.name == copy and left:
            left.pop()
            shutil.rmtree(target)
        return renamed

    monkeypatch.setattr(Path, "rename", rename_and_lose)


def test_a_copy_that_goes_before_it_is_open_is_made_again(
    here: Storage, elsewhere: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store(here, [1, 2])
    evict(record.content_hash, 2, monkeypatch)
    np.testing.assert_array_equal(elsewhere.open(record.id, record.content_hash).inputs, [[1], [2]])


def test_a_copy_that_always_goes_is_unavailable(
    here: Storage, elsewhere: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = store(here, [1, 2])
    evict(record.content_hash, 100, monkeypatch)
    with pytest.raises(Unavailable) as refused:
        elsewhere.open(record.id, record.content_hash)
    assert refused.value.code == "storage_unavailable"
    assert kept(elsewhere) == set()


def test_a_copy_that_lacks_files_is_made_again(here: Storage, elsewhere: Storage) -> None:
    record = store(here, [1, 2])
    elsewhere.open(record.id, record.content_hash)
    (elsewhere.folder / record.content_hash / "targets.npy").unlink()
    np.testing.assert_array_equal(elsewhere.open(record.id, record.content_hash).targets, [[1], [2]])
    assert kept(elsewhere) == {record.content_hash}


def test_copies_that_were_not_used_for_longest_make_room(
    here: Storage, elsewhere: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (store(here, [float(n), 0]) for n in range(3))
    for age, record in ((3 * HOUR, first), (4 * HOUR, second)):
        elsewhere.open(record.id, record.content_hash)
        for path in (*(elsewhere.folder / record.content_hash).iterdir(), elsewhere.folder / record.content_hash):
            os.utime(path, (time.time() - age,) * 2)
    copy = elsewhere.folder / first.content_hash
    size = sum(path.stat().st_size for path in (*copy.iterdir(), copy))
    monkeypatch.setattr(storage, "CACHE_BYTES", 2 * size + size // 2)
    elsewhere.open(third.id, third.content_hash)
    assert kept(elsewhere) == {first.content_hash, third.content_hash}


def test_a_sweep_removes_what_has_no_row_and_is_older_than_an_hour(
    here: Storage, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, lost = store(here, [1, 2]), store(here, [3, 4])
    Bucket(address).upload(here.folder / known.content_hash, "notes")
    here.sweep({known.id})
    assert set(Bucket(address).folders()) == {known.id, lost.id, "notes"}

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + HOUR + 60)
    unfinished = here.folder / f".{new_id('ds')}"
    unfinished.mkdir()
    here.sweep({known.id})
    assert set(Bucket(address).folders()) == {known.id, "notes"}
    assert kept(here) == {known.content_hash, lost.content_hash}  # copies go when there is no room


def test_an_upload_that_breaks_off_leaves_nothing_here(here: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(Bucket, "upload", broken)
    with pytest.raises(Unavailable):
        store(here, [1, 2])
    assert kept(here) == set()


def test_a_bucket_that_cannot_be_written_to_is_unavailable(address: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as refused:
        store(Storage(address.replace("//data/", "//nowhere/"), tmp_path), [1, 2])
    assert refused.value.code == "storage_unavailable"
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_finds_no_room_says_that_the_disk_is_full(
    here: Storage, address: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    record = store(here, [1, 2, 3])
    with small_disk(tmp_path_factory.mktemp("disk") / "small") as disk:
        elsewhere = Storage(address, disk.folder / "cache")
        disk.fill()
        with pytest.raises(CannotWrite) as refused:
            elsewhere.open(record.id, record.content_hash)
        assert refused.value.code == "storage_full"
        disk.empty()
        assert len(elsewhere.open(record.id, record.content_hash).inputs) == 3


@pytest.mark.parametrize("address", ["s3://", "gs://bucket", "s3:///prefix", "s3://bucket?colour=red"])
def test_what_is_no_address_is_refused_before_anything_is_made(address: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^DESCENT_STORAGE: this .*address"):
        check(Settings(data=tmp_path / "data", storage=address))
    assert not (tmp_path / "data").exists()


def test_an_address_that_is_none_is_refused_at_the_start() -> None:
    result = ended_command("serve", "--port", "0", DESCENT_STORAGE="gs://bucket")
    assert result.returncode == 2
    assert result.stderr.startswith("DESCENT_STORAGE: ")
    assert "Traceback" not in result.stderr


def test_a_worker_trains_on_a_bucket_and_so_does_a_second_service(address: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'descent.db'}"
    environment = {"DESCENT_STORAGE": address, "DESCENT_DATABASE": database, "DESCENT_WORKERS": "1", **KEYS}
    with running_service(tmp_path / "first", **environment) as service, service.client() as client:
        dataset = line(client, split={"test": {"last": 2}})
        assert losses(client, dataset.id) > 0
        assert not (service.folder / "datasets").exists()
        assert cache(service) == {dataset.sha256}
    with running_service(tmp_path / "second", **environment) as service, service.client() as client:
        assert cache(service) == set()
        assert losses(client, dataset.id) > 0
        assert cache(service) == {dataset.sha256}
        rows = client.http.get(f"/api/datasets/{dataset.id}/rows?part=test").json()["items"]
        assert [row["values"] for row in rows] == [{"x": 4, "y": 18}, {"x": 5, "y": 22}]
        assert client.http.delete(f"/api/datasets/{dataset.id}").status_code == 204
        assert cache(service) == set()
    assert Bucket(address).folders() == {}


def losses(client: Client, dataset: str) -> float:
    """The gain of a job on the dataset, by batches, so that its worker reads the rows."""
    job = client.train(straight(client).id, dataset, wait=60, epochs=3, batch_size=2, optimiser={"rule": "Adam"})
    assert job.state == "succeeded", job.error
    assert job.initial_loss is not None
    assert job.final_loss is not None
    return job.initial_loss - job.final_loss


def cache(service: RunningService) -> set[str]:
    folder = service.folder / "cache"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()
