"""The doctor finds what keeps a service from working, tells what helps, and changes nothing."""

import shutil
import socket
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import cli
from service.database.database import Database
from service.database.migrate import migrate
from service.settings import Settings
from service.startup import preparation
from service.startup.doctor import examine
from tests.support.serving import free_port

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as the standard library has it


def wrong(folder: Path, **settings: Any) -> list[str]:
    """The sentences on what is wrong."""
    before = sorted(folder.rglob("*"))
    given = {"data": folder / "data", "port": free_port(), **settings}
    findings = list(examine(Settings.model_validate(given)))
    assert sorted(folder.rglob("*")) == before
    return [finding.sentence for finding in findings if not finding.is_well]


def test_nothing_is_wrong_with_a_new_folder_or_a_running_service(tmp_path: Path) -> None:
    assert wrong(tmp_path) == []
    settings = Settings(data=tmp_path / "data", port=0)
    with preparation.prepared(settings):
        database = Database(settings.database_url)
        migrate(database, "0014")
        database.close()
        told = [finding.sentence for finding in examine(settings)]
    assert any("has schema 0014: the next start brings it to" in sentence for sentence in told)
    assert any(sentence.startswith("A service works with") for sentence in told)
    assert wrong(tmp_path) == []


def test_what_is_wrong_comes_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (port,) = wrong(tmp_path, port=taken.getsockname()[1])
    assert "is in use: stop what listens there" in port
    (unreachable,) = wrong(tmp_path, scheduler=f"tcp://127.0.0.1:{free_port()}")
    assert "start one with `dask scheduler`" in unreachable
    (open_door,) = wrong(tmp_path, host="0.0.0.0")  # noqa: S104 - what is tested
    assert "descent keys create" in open_door
    assert any("name another folder" in each for each in wrong(tmp_path, data=Path("/proc/descent")))
    (tmp_path / "garbage.db").write_bytes(b"x" * 5000)
    found = wrong(tmp_path, database=f"sqlite:///{tmp_path}/garbage.db")
    assert any("is no SQLite database: move it away" in each for each in found)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 10**6))
    assert any("1 MB are free" in each for each in wrong(tmp_path))


def test_the_command_tells_by_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESCENT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DESCENT_PORT", "0")
    well = CliRunner().invoke(cli, ["doctor"])
    assert (well.exit_code, "WRONG" in well.output) == (0, False)
    monkeypatch.setenv("DESCENT_HOST", "203.0.113.1")
    ill = CliRunner().invoke(cli, ["doctor"])
    assert (ill.exit_code, ill.output.count("WRONG")) == (1, 1)
