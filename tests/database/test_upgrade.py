"""Another schema comes with a copy of the file as it was, and with the means to give pages back, or not at all."""

import logging
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from service.database.database import Database
from service.database.migrate import configuration, migrate
from service.database.revisions import revisions
from service.database.upgrade import INCREMENTAL
from service.errors import CannotWrite

BEFORE = "0019"
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as the standard library has it


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database of before, with something in it, whose free pages stay."""
    file = tmp_path_factory.mktemp("before") / "descent.db"
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database, BEFORE)
        with database.transaction() as session:
            session.execute(text("UPDATE totals SET value = 7 WHERE name = 'epochs'"))
    return file.read_bytes()


@pytest.fixture
def file(content: bytes, tmp_path: Path) -> Path:
    file = tmp_path / "descent.db"
    file.write_bytes(content)
    return file


def asked(file: Path, statement: str) -> object:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchone()[0]


def brought_up(file: Path) -> None:
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database)


def test_the_file_as_it_was_lies_beside_the_one_that_was_brought_up(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older = file.with_name("descent.db.before-0009")
    older.touch()
    with caplog.at_level(logging.INFO, "service"):
        brought_up(file)
    copy = file.with_name(f"descent.db.before-{revisions()[-1]}")
    for each, schema in ((copy, BEFORE), (file, revisions()[-1])):
        assert asked(each, "SELECT version_num FROM alembic_version") == schema
        assert asked(each, "SELECT value FROM totals WHERE name = 'epochs'") == 7
    assert not older.exists()
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == f"before schema {revisions()[-1]}, a copy of the database with schema {BEFORE} was made: {copy}"
    steps = [revision for revision in revisions() if revision > BEFORE]
    assert [line for line in lines if line.startswith("the database goes to schema ")] == [
        f"the database goes to schema {step}: {ScriptDirectory.from_config(configuration()).get_revision(step).doc}"
        for step in steps
    ]


def test_databases_of_before_and_new_ones_give_free_pages_back(file: Path, tmp_path: Path) -> None:
    assert asked(file, "PRAGMA auto_vacuum") != INCREMENTAL
    new = tmp_path / "new.db"
    for each in (file, new):
        brought_up(each)
        assert asked(each, "PRAGMA auto_vacuum") == INCREMENTAL
    assert list(tmp_path.glob("new.db.before-*")) == []


def test_where_there_is_no_room_the_schema_stays_and_the_need_is_told(
    file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 10**6))
    with pytest.raises(CannotWrite, match=r"needs \d+ MB of free disk in .*, and there are 1 MB: free some"):
        brought_up(file)
    assert file.read_bytes() == content
    assert list(file.parent.glob("*.before-*")) == []
