"""The database: one engine, short transactions, SQLite set up for a service that keeps what it answered."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

Synchronous = Literal["FULL", "NORMAL"]


class Database:
    """An engine and the two ways to use it: `reading()` and `transaction()`.

    `synchronous="NORMAL"` gives up the last moments before a power failure, never consistency: for what can be
    computed again.
    """

    def __init__(self, url: str, synchronous: Synchronous = "FULL") -> None:
        self.url = url
        self.engine = create_engine(url, pool_size=8, max_overflow=56)
        self.on_sqlite = self.engine.dialect.name == "sqlite"
        if self.on_sqlite:
            _set_up_sqlite(self.engine, synchronous)
        # SQLite's waiting writers poll, and may starve each other; those of one process take turns here.
        self._turn: AbstractContextManager[object] = threading.Lock() if self.on_sqlite else nullcontext()
        self._reading = sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self._writing = sessionmaker(self.engine.execution_options(descent_writes=True), expire_on_commit=False)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and never commits."""
        with self._reading() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction: committed when the block ends well, rolled back in every other case."""
        with self._turn, self._writing() as session:
            yield session
            try:
                session.commit()
            except BaseException:
                session.invalidate()  # a connection whose COMMIT failed may still be inside its transaction
                raise

    def close(self) -> None:
        self.engine.dispose()


def _set_up_sqlite(engine: Any, synchronous: Synchronous) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver emits no BEGIN of its own; `begin` below does
        for pragma in (
            "journal_mode=WAL",  # readers go on while somebody writes
            f"synchronous={synchronous}",  # FULL: a commit that was answered survives a power failure
            "foreign_keys=ON",  # off by default in SQLite
            "busy_timeout=10000",  # ms that a writer waits for its turn before "database is locked"
            "temp_store=MEMORY",  # sorting needs no writable /tmp in a read-only container
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that starts by reading and then writes can fail at once with "database is locked", whatever
        # the timeout says; one that takes the write lock at its start only waits.
        writes = connection.get_execution_options().get("descent_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
