"""The permissions of the data folder."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.client import Client
from service.startup.private_folder import keep_private
from tests.support.serving import RunningService
from tests.support.training import line, straight


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """Leave new files open to others by default, and restore the umask after the test."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_a_service_keeps_is_for_its_user_alone(service: RunningService, client: Client) -> None:
    folder = service.folder  # it was there before the service, and open
    client.train(straight(client).id, line(client).id, epochs=1, wait=60)
    modes = {path: mode(path) for path in (folder, *folder.rglob("*")) if path != folder / "log" and path.exists()}
    names = {path.name for path in modes}
    assert {"descent.db", "descent.db-wal", "descent.db-shm", "descent.db.lock", "inputs.npy", "scratch"} <= names
    assert [path for path, found in modes.items() if found & 0o077] == []
    assert modes[folder] == 0o700
    assert modes[folder / "descent.db"] == 0o600


def test_a_folder_that_is_made_is_closed_and_so_are_those_above_it(tmp_path: Path) -> None:
    keep_private(tmp_path / "a" / "data")
    (tmp_path / "a" / "data" / "file").touch()
    assert [mode(path) for path in sorted((tmp_path / "a").rglob("*"))] == [0o700, 0o600]
    assert mode(tmp_path / "a") == 0o700


def test_what_an_older_version_left_is_closed_and_the_rest_left_alone(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("datasets", "mine"):
        (folder / name).mkdir(parents=True)
    for name in ("descent.db", "descent.db-wal", "notes.txt"):
        (folder / name).touch()
    keep_private(folder)
    modes = {path.name: mode(path) for path in (folder, *folder.iterdir())}
    closed = {"data": 0o700, "datasets": 0o700, "descent.db": 0o600, "descent.db-wal": 0o600}
    assert modes == closed | {"mine": 0o755, "notes.txt": 0o644}
    assert caplog.messages == []


def test_the_folder_of_somebody_else_stays_as_it_is_and_one_line_says_so(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "datasets").mkdir(parents=True)
    folder.chmod(0o2775)  # as Kubernetes' fsGroup has it
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with caplog.at_level(logging.INFO):
        keep_private(folder)
    assert mode(folder) == 0o2775
    assert mode(folder / "datasets") == 0o755
    (message,) = caplog.messages
    assert str(folder) in message
    (folder / "descent.db").touch()
    assert mode(folder / "descent.db") == 0o600


def test_a_link_to_nothing_beside_the_database_is_no_hindrance(folder: Path) -> None:
    folder.mkdir()
    (folder / "descent.db-wal").symlink_to(folder / "gone")
    (folder / "descent.db").touch()
    keep_private(folder)
    assert mode(folder / "descent.db") == 0o600


def test_a_folder_for_everybody_is_never_closed(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.mkdir()
    folder.chmod(0o1777)  # such as /tmp
    keep_private(folder)
    assert mode(folder) == 0o1777
    assert len(caplog.messages) == 1


def test_a_file_system_without_modes_is_no_hindrance(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    folder.mkdir()
    monkeypatch.setattr(Path, "chmod", refuse)
    keep_private(folder)
    assert len(caplog.messages) == 1
