"""The database: one engine, short transactions, SQLite set up for a service that keeps all that it has confirmed."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from service.database.disk_faults import disk_fault, is_busy, is_read_only, read_only
from service.database.reserve import Reserve
from service.database.shared_writes import Shared, Waiting
from service.errors import CannotWrite, Unavailable

Answer = TypeVar("Answer")
Synchronous = Literal["FULL", "NORMAL"]

PATIENCE = 5.0
"""Seconds that a writer waits for those of its own process, and then again for those of others."""

LOG_STAYS = 4 << 20
"""Bytes of SQLite's write-ahead log that stay on the disk to be written again: about what it copies into the
database at once.
"""


class Database:
    """An engine and the two ways to use it: `reading()` and `transaction()`.

    `synchronous="NORMAL"` gives up the last moments before a power failure, never consistency: for data that can be
    computed again.
    """

    def __init__(self, url: str, synchronous: Synchronous = "FULL") -> None:
        self.url = url
        self.engine = create_engine(url, pool_size=8, max_overflow=56, pool_use_lifo=True)
        self.on_sqlite = self.engine.dialect.name == "sqlite"
        if self.on_sqlite:
            _set_up_sqlite(self.engine, synchronous)
        self.reserve = Reserve(self.file.with_name(f"{self.file.name}.reserve")) if self.file else None
        self._turn = threading.Lock()
        self._shared = Waiting()
        self._looking_up = threading.Lock()
        self._lookups: sqlite3.Cursor | None = None
        self._writer = self.engine.execution_options(descent_writes=True)
        self._reading = sessionmaker(self.engine, expire_on_commit=False, autoflush=False)
        self._writing = sessionmaker(self._writer, expire_on_commit=False, info={"descent_writes": True})

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self.engine.url.database) if self.on_sqlite and self.engine.url.database else None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database and never commits."""
        with self._reading() as session:
            yield session

    def check(self) -> None:
        """Raise the database's error where it does not answer."""
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def look_up(self, statement: str, parameters: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row that `look_up_all` finds."""
        rows = self.look_up_all(statement, parameters)
        return rows[0] if rows else None

    def look_up_all(self, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows that a SELECT finds, as the last commit left them and as the driver reads them; for the queries of
        every request.

        In SQLite, one connection is kept for this and prepares each statement once: microseconds, where a session takes
        hundreds.

        Raises:
            Unavailable: the database does not answer.
        """
        if not self.on_sqlite:
            return self._all(statement, parameters)
        with self._looking_up:
            try:
                if self._lookups is None:
                    self._lookups = self._connection_of_its_own().cursor()
                rows = self._lookups.execute(statement, parameters).fetchall()  # to the end, which ends the transaction
            except sqlite3.Error as error:
                raise Unavailable(f"The database does not answer: {error}.", "database_unavailable") from error
        return rows

    def _all(self, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            with self.engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(statement), parameters)]
        except SQLAlchemyError as error:
            raise Unavailable("The database is out of reach: try again.", "database_unavailable") from error

    def _connection_of_its_own(self) -> sqlite3.Connection:
        pooled = self.engine.raw_connection()
        connection: sqlite3.Connection = pooled.driver_connection  # type: ignore[assignment]  # the one SQLite has
        pooled.detach()
        return connection

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction, not to be nested: committed when the block ends well, rolled back otherwise.

        Raises:
            CannotWrite: the disk is full, or can only be read.
            Unavailable: others write for too long.
        """
        with self._taking_turns(), self._committing() as session:
            yield session

    @contextmanager
    def _committing(self) -> Iterator[Session]:
        with self._marking_faults(), self._writing() as session:
            yield session
            try:
                session.commit()
            except BaseException:
                session.invalidate()  # a connection whose COMMIT failed may still be inside its transaction
                raise

    def write_shared(self, write: Callable[[Session], Answer]) -> Answer:
        """Make a small write in one transaction with those that come while this process writes something else; return
        once it is committed. Where one of them fails, each is made again in a transaction of its own.

        Raises:
            CannotWrite: the disk is full, or can only be read.
            Unavailable: others write for too long.
        """
        own = Shared(write)
        if self._shared.add(own) or own.waits_to_lead():
            try:
                with self._taking_turns(max(PATIENCE - own.waited(), 0.0)):
                    self._write_all(self._shared.take())
            finally:
                self._shared.hand_on(own)
        return own.answer()

    def _write_all(self, writes: Sequence[Shared[Any]]) -> None:
        if len(writes) < 2 or not self._write_together(writes):
            for each in writes:
                self._write_together([each], alone=True)

    def _write_together(self, writes: Sequence[Shared[Any]], *, alone: bool = False) -> bool:
        """Make writes in one transaction; return False where one has failed, and nothing is written or told."""
        try:
            with self._committing() as session:
                answers = [each.made_in(session) for each in writes]
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            if not (alone or isinstance(error, CannotWrite | OperationalError)):
                return False
            for each in writes:
                each.fail(error)
        else:
            for each, answer in zip(writes, answers, strict=True):
                each.tell(answer)
        return True

    def write_urgently(self, write: Callable[[Session], Answer]) -> Answer:
        """Make a small write in a transaction of its own; on a full disk in the room that is kept back for this.

        Raises:
            CannotWrite: that room is used up too, or the disk can only be read.
        """
        try:
            with self.transaction() as session:
                return write(session)
        except CannotWrite as error:
            fault = error
        while self.reserve is not None:
            with suppress(CannotWrite), self.transaction() as session:
                session.connection()  # takes the write lock: no other writer may use the room
                if not self.reserve.release():
                    break
                return write(session)
        raise fault

    @contextmanager
    def _marking_faults(self) -> Iterator[None]:
        """Tell other processes, and the caller, where the disk takes no more; and others where the lock is not free."""
        try:
            yield
        except DBAPIError as error:
            unwritable = self.file is not None and is_read_only(self.file.parent)  # SQLite has several errors for that
            fault = read_only() if unwritable else disk_fault(error)
            if self.reserve is not None and (fault is not None or is_busy(error)):
                self.reserve.mark()
            if fault is None:
                raise
            if fault.code == read_only().code:
                self.close()  # connections that were made while a disk can only be read never write: new ones may
            raise fault from error

    @contextmanager
    def rebuilding(self) -> Iterator[Connection]:
        """A writing transaction in which tables can be copied and dropped; references are checked at its end.

        With foreign keys on, SQLite's DROP deletes what refers to the dropped rows. The switch works outside
        transactions only.
        """
        with self._taking_turns(), self._writer.connect() as connection:
            self._switch_foreign_keys(connection, "OFF")
            try:
                with connection.begin():
                    yield connection
                    if self.on_sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
                        raise IntegrityError(
                            "PRAGMA foreign_key_check", None, ValueError(f"broken references: {broken}")
                        )
            finally:
                self._switch_foreign_keys(connection, "ON")

    def _switch_foreign_keys(self, connection: Connection, switch: str) -> None:
        driver_connection: Any = connection.connection.driver_connection
        if self.on_sqlite:
            driver_connection.execute(f"PRAGMA foreign_keys={switch}")

    @contextmanager
    def _taking_turns(self, patience: float | None = None) -> Iterator[None]:
        """Wait for a turn among this process's writers: SQLite's waiting writers poll, and may starve each other."""
        if not self.on_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=PATIENCE if patience is None else patience):
            raise Unavailable("The database is busy: try again.", "busy")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connections; later sessions open new ones."""
        with self._looking_up:
            if self._lookups is not None:
                self._lookups.connection.close()
                self._lookups = None
        self.engine.dispose()


def _set_up_sqlite(engine: Any, synchronous: Synchronous) -> None:
    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver emits no BEGIN of its own; `begin` below does
        for pragma in (
            "journal_mode=WAL",  # readers continue while another connection writes
            f"journal_size_limit={LOG_STAYS}",  # else the log keeps the size that its largest transaction gave it
            f"synchronous={synchronous}",  # FULL: a commit that was answered survives a power failure
            "foreign_keys=ON",  # off by default in SQLite
            f"busy_timeout={PATIENCE * 1000:.0f}",  # ms that a writer waits for its turn before "database is locked"
            "temp_store=MEMORY",  # sorting needs no writable /tmp in a read-only container
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that starts by reading and then writes can fail at once with "database is locked", whatever
        # the timeout is; one that takes the write lock at its start only waits.
        writes = connection.get_execution_options().get("descent_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
