"""Errors that whoever runs the service can mend are told in a sentence; others keep their traceback."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from service.database.database import Database
from service.database.disk_faults import full
from service.database.migrate import migrate
from service.demo import NoService, run
from service.startup.reasons import reason_of
from tests.support.serving import free_port


def broken_off(database: Database) -> None:
    """A database whose recorded schema is not the one that it has."""
    with database.rebuilding() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0013'")
    migrate(database)


def held(database: Database) -> None:
    """A database that another program writes to."""
    assert database.file is not None
    other = sqlite3.connect(database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=1")
            connection.exec_driver_sql("UPDATE jobs SET attempt = 0")
    finally:
        other.close()


def unwritable(_: Database) -> None:
    Path("/proc/descent").mkdir()


def full_disk(_: Database) -> None:
    raise full()


@pytest.mark.parametrize(
    ("fail", "told"),
    [
        (broken_off, "the database cannot be used ("),
        (held, "another program holds the database"),
        (unwritable, "No such file or directory: '/proc/descent'"),
        (full_disk, "There is no room left on the disk"),
    ],
)
def test_an_operators_error_is_one_sentence(database: Database, fail: Callable[[Database], None], told: str) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - each kind has its own
        fail(database)
    sentence = reason_of(raised.value)
    assert sentence is not None
    assert told in sentence
    assert "\n" not in sentence


def test_an_error_of_the_program_is_none_of_these() -> None:
    assert reason_of(RuntimeError("a bug")) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "foo", "http://[bad"])
def test_a_demo_without_a_service_says_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoService, match="give the address of a service that is up"):
        run(url.format(port=free_port()))
    assert capsys.readouterr().out
