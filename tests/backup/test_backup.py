"""Backups: one moment of database and files while others write, whole or refused, and the way back."""

import stat
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from service.backup import archive, restoring, snapshot
from service.backup.archive import BadArchive, Manifest
from service.backup.making import back_up
from service.backup.restoring import check, restore
from service.backup.snapshot import Snapshot
from service.database.database import Database
from service.database.revisions import revisions
from service.jobs import queue
from service.jobs.records import JobRecord
from service.jobs.states import State
from service.settings import Settings
from service.startup import preparation
from service.startup.preparation import Refused
from tests.support.writes import DATA, line, serving

ROWS = {"inputs": [[1], [2], [3]]}


@pytest.fixture
def http(folder: Path) -> Iterator[httpx.Client]:
    """An application with a model, a dataset and a queued job."""
    folder.mkdir()
    with serving(folder) as client:
        model, dataset = line(client)
        client.post("/api/jobs", json={"model": model, "dataset": dataset}).raise_for_status()
        client.post(f"/api/models/{model}/evaluations", json={"dataset": dataset, "part": "train"}).raise_for_status()
        yield client


@pytest.fixture
def made(folder: Path, tmp_path: Path, http: httpx.Client) -> Path:
    file = tmp_path / "descent.tar"
    back_up(Settings(data=folder), file)
    return file


def answers(http: httpx.Client) -> dict[str, Any]:
    """All that clients see of what is kept, the rows of datasets and the outputs of models among it."""
    found: dict[str, Any] = {}
    for noun in ("datasets", "models", "jobs"):
        for each in http.get(f"/api/{noun}?limit=100").json()["items"]:
            found[each["id"]] = each
            if noun == "datasets":
                found[f"{each['id']}/rows"] = http.get(f"/api/datasets/{each['id']}/rows").json()
            if noun == "models":
                found[f"{each['id']}/outputs"] = http.post(f"/api/models/{each['id']}/predictions", json=ROWS).json()
                found[f"{each['id']}/metrics"] = http.get(f"/api/models/{each['id']}/metrics").json()
    return found


def test_what_was_backed_up_gives_the_same_answers(made: Path, http: httpx.Client, tmp_path: Path) -> None:
    other = tmp_path / "other"
    restore(Settings(data=other), made)
    with serving(other) as restored:
        assert answers(restored) == answers(http)
    assert {entry.name for entry in other.iterdir() if entry.name.startswith(".")} == set()


def test_a_backup_beside_a_writer_is_one_moment(folder: Path, http: httpx.Client, tmp_path: Path) -> None:
    over = threading.Event()
    kept: list[str] = []

    def write() -> None:
        while not over.is_set():
            dataset = http.post("/api/datasets", json=DATA).json()["id"]
            if len(kept) % 2:
                http.delete(f"/api/datasets/{dataset}").raise_for_status()
            kept.append(dataset)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(Settings(data=folder), tmp_path / f"{number}.tar")
    finally:
        over.set()
        writer.join()
    for number in range(3):
        other = tmp_path / str(number)
        restore(Settings(data=other), tmp_path / f"{number}.tar")
        with serving(other) as restored:
            found = [each["id"] for each in restored.get("/api/datasets?limit=100").json()["items"]]
            assert all(restored.get(f"/api/datasets/{each}/rows").status_code == 200 for each in found)
            assert {path.name for path in (other / "datasets").iterdir()} == set(found)
    assert not any(path.name.startswith(".") for path in (folder / "datasets").iterdir())


def test_files_that_go_between_snapshot_and_hold_are_not_missed(
    folder: Path, http: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dataset that comes after the files were held, is in the snapshot, and goes before it is held."""
    take = snapshot.take
    taken: list[Snapshot] = []

    def take_between(database: Path, target: Path) -> Snapshot:
        late = http.post("/api/datasets", json=DATA).json()["id"] if not taken else None
        taken.append(take(database, target))
        if late is not None:
            http.delete(f"/api/datasets/{late}").raise_for_status()
        return taken[-1]

    monkeypatch.setattr(snapshot, "take", take_between)
    back_up(Settings(data=folder), tmp_path / "descent.tar")
    assert [len(each.datasets) for each in taken] == [2, 1]
    assert check(tmp_path / "descent.tar").counts["datasets"] == 1


def test_jobs_that_ran_wait_again_and_cookies_are_gone(folder: Path, http: httpx.Client, tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{folder / 'descent.db'}")) as database, database.transaction() as session:
        (job,) = session.scalars(text("SELECT id FROM jobs"))
        queue.claim(session, job, "a worker")
        session.execute(text("INSERT INTO keys VALUES ('key', 'k', 'o', 'read', 'h', NULL, '2026-01-01', NULL, NULL)"))
        session.execute(text("INSERT INTO sign_ins VALUES ('a-cookie', 'key', '2026-01-01', '2027-01-01')"))
    back_up(Settings(data=folder), tmp_path / "descent.tar")
    assert b"a-cookie" not in (tmp_path / "descent.tar").read_bytes()
    other = tmp_path / "other"
    _, jobs = restore(Settings(data=other), tmp_path / "descent.tar")
    assert jobs == [job]
    with closing(Database(f"sqlite:///{other / 'descent.db'}")) as database, database.reading() as session:
        record = session.get(JobRecord, job)
        assert record is not None
        assert (record.state, record.losses_of_worker, record.message) == (State.QUEUED, 0, None)
        assert session.scalars(text("SELECT hash FROM keys")).all() == ["h"]


def test_an_archive_is_for_its_owner_alone_and_leaves_nothing_beside_it(made: Path, folder: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert {path.name for path in made.parent.iterdir()} == {made.name, folder.name}


def test_an_archive_that_was_cut_or_changed_anywhere_is_refused(made: Path, tmp_path: Path) -> None:
    whole = made.read_bytes()
    torn = tmp_path / "torn.tar"
    content = [offset for offset in range(0, len(whole), 509) if whole[offset]]
    cuts = [whole[:length] for length in (0, 1, 511, 512, len(whole) // 2, len(whole) - 10240, len(whole) - 1)]
    flips = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in content[:: max(1, len(content) // 40)]]
    for text_of in (*cuts, *flips, whole + bytes(512), whole * 2):
        torn.write_bytes(text_of)
        with pytest.raises(Refused, match=r"torn\.tar cannot be restored: "):
            check(torn)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "datasets/../evil", "datasets/ds_x/evil", "other"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadArchive, match="has no place in it"):
        archive.read(file)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_members_that_are_no_files_are_refused(tmp_path: Path, kind: bytes) -> None:
    file, member = tmp_path / "evil.tar", tarfile.TarInfo("descent.db")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(file, "w") as tar:
        tar.addfile(member)
    with pytest.raises(BadArchive):
        archive.read(file)


def test_a_used_folder_and_a_running_service_are_refused(made: Path, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is in use: restore into an empty folder"):
        restore(Settings(data=folder), made)
    files = tmp_path / "files"
    (files / "datasets" / "ds_00000000000000000000000000").mkdir(parents=True)
    with pytest.raises(Refused, match="is in use"):
        restore(Settings(data=files), made)
    with pytest.raises(Refused, match="is in use: restore into another DESCENT_STORAGE"):
        restore(Settings(data=tmp_path / "new", storage=str(files / "datasets")), made)
    empty = Settings(data=tmp_path / "empty")
    empty.data.mkdir()
    lock = preparation.locked(empty)
    with pytest.raises(Refused, match="Another service works with"):
        restore(empty, made)
    lock.release()


def test_a_restore_that_fails_leaves_an_empty_folder(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> list[str]:
        raise OSError(28, "No space left on device")

    other = Settings(data=tmp_path / "other")
    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_brought_up_to_date", fail)
        with pytest.raises(Refused, match="No space left"):
            restore(other, made)
    restore(other, made)


def test_a_restore_begins_anew_after_one_that_was_killed(made: Path, tmp_path: Path) -> None:
    other = Settings(data=tmp_path / "other")
    for folder in (other.data / ".descent.db.restored", other.data / "datasets" / ".restored"):
        folder.mkdir(parents=True)
        (folder / "descent.db").write_bytes(b"half of it")
    restore(other, made)
    assert not list(other.data.rglob("*restored"))


def test_an_archive_of_a_newer_descent_is_refused(tmp_path: Path) -> None:
    file, database = tmp_path / "newer.tar", tmp_path / "descent.db"
    database.write_bytes(b"")
    with archive.writing(file, Manifest("9", "9999", "2030-01-01", {})) as writer:
        writer.add("descent.db", database)
    with pytest.raises(Refused, match="has schema 9999, which this Descent does not know"):
        check(file)
    assert "9999" not in revisions()


@pytest.mark.parametrize("target", ["nowhere/descent.tar", "data"])
def test_a_backup_that_cannot_be_made_says_why(folder: Path, tmp_path: Path, target: str, http: httpx.Client) -> None:
    with pytest.raises(Refused, match=r"cannot be written|is there already"):
        back_up(Settings(data=folder), tmp_path / target)
    with pytest.raises(Refused, match="There is nothing to back up"):
        back_up(Settings(data=tmp_path / "elsewhere"), tmp_path / "descent.tar")
