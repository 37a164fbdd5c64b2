"""Settings that cannot work are refused in one sentence with a remedy, before anything is started or made."""

import errno
import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.database.database import Database
from service.database.migrate import configuration, migrate
from service.database.revisions import revisions
from service.settings import Settings
from service.startup.preparation import Refused, check, prepared
from tests.support.serving import ended_command, free_port, running_service

UNWRITABLE = Path("/proc/descent")
"""A folder that no user can make, not even root."""
FAMILIES = {socket.AF_INET6: "::1", socket.AF_INET: "127.0.0.1"}


def refusal(folder: Path, **settings: object) -> str:
    """The sentence with which these settings are refused, before anything is made."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(Refused) as refused, prepared(Settings.model_validate({"port": 0, "data": folder, **settings})):
        pass
    assert sorted(folder.rglob("*")) == before
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path that the database would have."""
    return tmp_path / "descent.db"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_found_before_all_else(tmp_path: Path, taken: int) -> None:
    sentence = refusal(tmp_path, port=taken, data=UNWRITABLE)
    assert (
        sentence
        == f"Port {taken} of 127.0.0.1 is in use: stop what listens there, or choose another with --port (0: any)."
    )


@pytest.mark.parametrize("host", ["203.0.113.1", "nowhere.invalid", "a..b", "a" * 70])
def test_a_host_that_is_not_here_is_refused(tmp_path: Path, host: str) -> None:
    assert refusal(tmp_path, host=host).startswith(f"DESCENT_HOST: {host} ")


def test_an_address_family_that_is_switched_off_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = socket.socket

    def without_ipv6(family: socket.AddressFamily, *rest: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return made(family, *rest)

    both = [(each, socket.SOCK_STREAM, 6, "", (host, 0)) for each, host in FAMILIES.items()]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    monkeypatch.setattr(socket, "socket", without_ipv6)
    with prepared(Settings(port=0, data=tmp_path, host="localhost")) as sockets:
        assert [each.family for each in sockets] == [socket.AF_INET]


def test_a_port_is_held_from_the_check_on(tmp_path: Path) -> None:
    with prepared(Settings(port=0, data=tmp_path)) as sockets:
        (port,) = (each.getsockname()[1] for each in sockets)
        assert "in use" in refusal(tmp_path, port=port)


@pytest.mark.parametrize("name", ["data", "storage"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    assert refusal(tmp_path, **{name: str(UNWRITABLE)}).startswith(
        f"DESCENT_{name.upper()}: nothing can be written in /proc "
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_is_only_readable_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in refusal(tmp_path)


@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_as_folder_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    assert refusal(tmp_path, data=tmp_path / "file" / below).startswith(f"DESCENT_DATA: {tmp_path}/file is no folder")


def test_a_database_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, database=f"sqlite:///{tmp_path}/elsewhere/descent.db")
    assert f"there is no folder {tmp_path}/elsewhere" in sentence


def test_a_folder_as_database_is_refused(tmp_path: Path, file: Path) -> None:
    file.mkdir()
    assert f"{file} cannot be opened for writing (Is a directory)" in refusal(tmp_path)


def test_a_database_that_is_garbage_is_refused(tmp_path: Path, file: Path) -> None:
    file.write_bytes(b"x" * 5000)
    assert refusal(tmp_path).startswith(f"{file} is no SQLite database")


def test_a_database_that_is_damaged_is_refused(tmp_path: Path, file: Path) -> None:
    make(file, "CREATE TABLE jobs (id)")
    file.write_bytes(file.read_bytes()[:100] + b"\xff" * 8000)
    assert refusal(tmp_path).startswith(f"{file} is damaged (")


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE songs (id)",),
        ("CREATE TABLE songs (id)", "CREATE TABLE alembic_version (version_num)"),
    ],
)
def test_the_database_of_another_program_is_refused_as_it_is(tmp_path: Path, file: Path, statements: list[str]) -> None:
    make(file, *statements)
    before = file.read_bytes()
    assert refusal(tmp_path) == f"{file} is the database of another program: name another file with DESCENT_DATA."
    assert file.read_bytes() == before


def test_a_database_of_a_newer_descent_is_refused(tmp_path: Path, file: Path) -> None:
    migrated(file)
    make(file, "UPDATE alembic_version SET version_num = '0999'")
    assert refusal(tmp_path).startswith(f"{file} has schema 0999 of a newer Descent")


def test_an_older_database_and_an_empty_one_are_taken(tmp_path: Path, file: Path) -> None:
    file.touch()
    check(Settings(data=tmp_path))
    migrated(file, revisions()[0])
    check(Settings(data=tmp_path))


def test_the_revisions_are_those_that_alembic_knows() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(configuration()).walk_revisions()
    assert revisions() == sorted(script.revision for script in scripts)


def test_one_service_at_a_time_works_with_a_database(tmp_path: Path) -> None:
    with prepared(Settings(port=0, data=tmp_path)):
        assert refusal(tmp_path).startswith(f"Another service works with {tmp_path}/descent.db: stop it")
    with prepared(Settings(port=0, data=tmp_path)):
        pass


def make(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def migrated(file: Path, revision: str = "head") -> None:
    database = Database(f"sqlite:///{file}")
    migrate(database, revision)
    database.close()


def test_a_command_that_is_refused_ends_with_status_2_and_one_line(tmp_path: Path, taken: int) -> None:
    folder = tmp_path / "data"
    result = ended_command("serve", "--data", str(folder), "--port", str(taken))
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"Port {taken} of 127.0.0.1 is in use")
    assert not folder.exists()


def test_where_logs_are_json_a_refusal_is_a_line_of_them() -> None:
    result = ended_command("serve", DESCENT_LOG="json", DESCENT_PORT="x")
    (line,) = map(json.loads, result.stderr.splitlines())
    assert (result.returncode, line["level"]) == (2, "critical")
    assert line["message"].startswith("DESCENT_PORT: ")


def test_a_name_that_is_no_setting_ends_with_status_2_and_the_right_one(tmp_path: Path) -> None:
    result = ended_command("serve", DESCENT_PROT="9000", DESCENT_DATA=str(tmp_path / "data"))
    assert (result.returncode, result.stderr) == (2, "DESCENT_PROT is no setting: did you mean DESCENT_PORT?\n")
    assert not (tmp_path / "data").exists()


def test_a_second_service_on_a_folder_says_so_and_the_first_goes_on(folder: Path) -> None:
    with running_service(folder, DESCENT_PORT="tcp://10.0.0.1:8000", DESCENT_SERVICE_HOST="10.0.0.1") as first:
        assert "DESCENT_PORT, DESCENT_SERVICE_HOST" in first.log
        result = ended_command("serve", "--data", str(folder), "--port", str(free_port()))
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("Another service works with ")
        with first.client() as client:
            assert client.http.get("/health/live").status_code == 200
