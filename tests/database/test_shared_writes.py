"""Small writes that share a commit: all or each by itself, and never told before they are there."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from service.database import database as databases
from service.database.database import Database
from service.database.shared_writes import Shared
from service.errors import Unavailable
from tests.support.serving import wait_for

WHO: ContextVar[str] = ContextVar("who")


@pytest.fixture
def commits(database: Database) -> list[str]:
    """Each commit, as it comes."""
    seen: list[str] = []
    event.listen(database.engine, "commit", lambda connection: seen.append("commit"))
    return seen


def together(database: Database, *writes: Callable[[Session], str]) -> list[Future[str]]:
    """Begin all writes while another one has its turn, and let that end once they wait."""
    with ThreadPoolExecutor(len(writes)) as pool:
        with database.transaction():
            begun = [pool.submit(database.write_shared, write) for write in writes]
            wait_for(lambda: len(database._shared._writes) == len(writes))
        return begun


def noted(name: str) -> Callable[[Session], str]:
    def write(session: Session) -> str:
        session.execute(text("INSERT INTO totals (name, value) VALUES (:name, 1)"), {"name": name})
        return name

    return write


def kept(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(text("SELECT name FROM totals WHERE length(name) = 1")))


def test_writes_that_wait_share_one_commit(database: Database, commits: list[str]) -> None:
    begun = together(database, *(noted(name) for name in "abcd"))
    assert {each.result() for each in begun} == kept(database) == set("abcd")
    assert len(commits) == 1
    assert database.write_shared(noted("e")) == "e"
    assert "e" in kept(database)


def test_a_write_that_fails_takes_no_other_along(database: Database) -> None:
    begun = together(database, noted("a"), lambda session: str(1 / 0), noted("b"), noted("a"))
    failed = [type(each.exception()).__name__ for each in begun]
    assert sorted(failed) == ["IntegrityError", "NoneType", "NoneType", "ZeroDivisionError"]
    assert kept(database) == {"a", "b"}


def test_each_write_is_made_in_the_context_of_its_thread(database: Database) -> None:
    def ask(name: str) -> str:
        WHO.set(name)
        return database.write_shared(lambda session: WHO.get())

    with ThreadPoolExecutor(3) as pool, database.transaction():
        begun = [pool.submit(ask, name) for name in "abc"]
        wait_for(lambda: len(database._shared._writes) == 3)
    assert [each.result() for each in begun] == ["a", "b", "c"]


def test_writes_that_get_no_turn_are_told_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PATIENCE", 0.05)
    with ThreadPoolExecutor(3) as pool, database.transaction():
        begun = [pool.submit(database.write_shared, noted(name)) for name in "abc"]
        assert all(isinstance(each.exception(), Unavailable) for each in begun)
    assert database.write_shared(noted("d")) == "d"
    assert kept(database) == {"d"}


def test_a_write_that_joins_late_waits_as_long_as_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    late = noted("b")
    monkeypatch.setattr(databases, "PATIENCE", 0.3)
    monkeypatch.setattr(Shared, "waited", lambda own: -60.0 if own._write is late else 0.0)
    with ThreadPoolExecutor(2) as pool:
        with database.transaction():
            leading = pool.submit(database.write_shared, noted("a"))
            wait_for(lambda: len(database._shared._writes) == 1)
            joining = pool.submit(database.write_shared, late)
            assert isinstance(leading.exception(), Unavailable)
        assert joining.result() == "b"
    assert kept(database) == {"b"}
