"""Looking single rows up on a connection that is kept for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from service.database.database import Database
from service.errors import Unavailable

COUNT = "SELECT number FROM counts WHERE id = :id"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    with database.transaction() as session:
        session.execute(text("CREATE TABLE counts (id INTEGER PRIMARY KEY, number INTEGER)"))
        session.execute(text("INSERT INTO counts VALUES (1, 0), (2, 7)"))
    yield database
    database.close()


def test_each_look_sees_what_was_committed_last_and_nothing_else(database: Database) -> None:
    for number in range(1, 4):
        with database.transaction() as session:
            session.execute(text("UPDATE counts SET number = :number WHERE id = 1"), {"number": number})
            assert database.look_up(COUNT, {"id": 1}) == (number - 1,)
        assert database.look_up(COUNT, {"id": 1}) == (number,)


def test_nothing_is_none_and_of_many_rows_the_first_comes(database: Database) -> None:
    assert database.look_up(COUNT, {"id": 3}) is None
    assert database.look_up("SELECT id FROM counts ORDER BY id DESC", {}) == (2,)


def test_a_look_leaves_no_transaction_open(database: Database) -> None:
    database.look_up("SELECT id FROM counts", {})
    with database.reading() as session:
        busy, _, _ = session.connection().exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    assert busy == 0


def test_many_threads_may_look_at_once(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda id: database.look_up(COUNT, {"id": id}), [1, 2] * 200))
    assert found == [(0,), (7,)] * 200


def test_a_database_that_does_not_answer_is_unavailable(database: Database) -> None:
    with pytest.raises(Unavailable, match="no such table"):
        database.look_up("SELECT 1 FROM absent", {})


def test_after_close_the_next_look_connects_again(database: Database) -> None:
    assert database.look_up(COUNT, {"id": 2}) == (7,)
    database.close()
    assert database.look_up(COUNT, {"id": 2}) == (7,)
