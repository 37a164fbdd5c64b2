"""Datasets that arrive as a stream: read on arrival, listed as loading, kept whole or not at all."""

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.database.database import Database
from service.database.record import now
from service.datasets import operations, records
from service.datasets.faults import Faults, Note
from service.datasets.formats.media_types import ANY_FORM, MediaType
from service.datasets.formats.read import read_table
from service.datasets.formats.zipped import ZIP, begins_with_an_array
from service.datasets.ingest.pipe import BodyPipe, Broken
from service.datasets.ingest.preview import SAMPLE, preview_table
from service.datasets.ingest.roles import Options
from service.datasets.ingest.store import store_table
from service.datasets.records import DatasetRecord
from service.datasets.schemas import plain_missing
from service.datasets.table import ReadOptions, Table
from service.errors import DescentError, WrongFormat
from service.http.json_numbers import JsonObject
from service.ids import new_id
from service.resources import Turns
from service.storage.storage import Storage

LISTED_FROM = 1 << 20
"""Bytes; a smaller upload has ended before a client could look."""
BEAT = 0.25
"""Seconds between two writes of a loading dataset's progress."""
LONGEST_SILENCE = 10.0
"""Seconds after which a loading dataset has a beat written, though nothing has arrived."""

Answer = TypeVar("Answer")
Result = TypeVar("Result")


@dataclass
class Upload:
    """One body on its way to become a dataset. `size` is that of the body in bytes, where it is known."""

    database: Database
    storage: Storage
    options: Options
    media_type: str
    reading: ReadOptions
    size: int | None
    counted: operations.Counted
    id: str = field(default_factory=lambda: new_id("ds"))
    created_at: datetime = field(default_factory=now)
    _listed: bool = False

    async def run(
        self,
        body: AsyncIterator[bytes],
        answer: Callable[[Session, DatasetRecord], Answer],
        turns: Turns,
        note: Callable[[bytes], object] = lambda _: None,
    ) -> Answer:
        """Read `body` to its end; return the result of `answer` in the transaction that makes the dataset ready.

        `note` is called with every piece of the body. Whatever is raised, nothing stays.

        Raises:
            Invalid, WrongFormat, TooLarge: the body is no table, or not this one.
            Conflict: the name is taken.
            Unavailable: the storage is full or out of reach, or too many uploads are being read.
        """
        pipe, over = BodyPipe(note), asyncio.Event()
        filling = asyncio.create_task(pipe.fill(body))
        listing = asyncio.create_task(self._keep_listed(pipe, over))
        listing.add_done_callback(lambda task: pipe.break_off() if _error_of(task) is not None else None)
        try:
            record = await self._in_a_thread(partial(self._store, pipe), filling, turns)
            over.set()
            await asyncio.gather(filling, listing)
            return await to_thread.run_sync(self._finish, record, answer)
        except BaseException as error:  # noqa: BLE001 - raised again, or why the body broke off
            pipe.break_off()
            filling.cancel()
            over.set()
            await asyncio.wait([filling, listing])
            await to_thread.run_sync(self._forget)
            raise _cause(filling, listing, error) from None

    async def preview(self, body: AsyncIterator[bytes], turns: Turns, faults: Faults) -> JsonObject:
        """Return what the beginning of `body` tells, beside `faults`, as `Preview` has it; nothing is stored.

        Raises:
            WrongFormat, TooLarge, Unavailable: as `run` does.
        """
        pipe = BodyPipe()
        filling = asyncio.create_task(pipe.fill(body))
        try:
            return await self._in_a_thread(partial(self._look, pipe, faults), filling, turns)
        except Broken as error:
            raise _error_of(filling) or error from None
        finally:
            pipe.break_off()
            filling.cancel()
            await asyncio.wait([filling])

    async def _in_a_thread(self, call: Callable[[], Result], filling: "asyncio.Task[None]", turns: Turns) -> Result:
        if self.size is not None and self.size < LISTED_FROM:
            await asyncio.wait([filling])  # the pipe holds all of it: slow senders would keep many threads waiting
            return await to_thread.run_sync(call)
        return await turns.run(call)

    def _read(self, pipe: BodyPipe, reading: ReadOptions, scratch: Path, note: Note) -> Table:
        return read_table(_form(self.media_type, pipe), io.BufferedReader(pipe), replace(reading, note=note), scratch)

    def _store(self, pipe: BodyPipe) -> DatasetRecord:
        read = partial(self._read, pipe, self.reading)
        record = store_table(self.storage, read, self.options, self.id, self.created_at, pipe.check)
        try:
            pipe.drain()
        except Broken:
            self.storage.delete(self.id, record.sha256)
            raise
        return record

    def _look(self, pipe: BodyPipe, faults: Faults) -> JsonObject:
        read = partial(self._read, pipe, replace(self.reading, sample=SAMPLE))
        return preview_table(self.storage, read, self.options, faults, pipe.check)

    async def _keep_listed(self, pipe: BodyPipe, over: asyncio.Event) -> None:
        """Once much has arrived, add the row, and then keep its progress up to date."""
        said, written = 0, 0.0
        while not over.is_set():
            if not self._listed and pipe.received >= LISTED_FROM:
                await to_thread.run_sync(self._list, self._progress(pipe))
            elif self._listed and (pipe.received > said or time.monotonic() - written > LONGEST_SILENCE):
                said, written = pipe.received, time.monotonic()
                with suppress(SQLAlchemyError, DescentError):  # the next one comes soon
                    await to_thread.run_sync(self._beat, self._progress(pipe))
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), BEAT)

    def _progress(self, pipe: BodyPipe) -> float | None:
        return min(1.0, pipe.received / self.size) if self.size else None

    def _list(self, progress: float | None) -> None:
        record = DatasetRecord(
            id=self.id,
            name=self.options.name or self.id,
            features=[],
            targets=[],
            train_rows=0,
            validation_rows=0,
            test_rows=0,
            dtype=self.options.dtype,
            missing=plain_missing(self.options.missing),
            ignored=[],
            advice=[],
            statistics=[],
            state="loading",
            progress=progress,
            beat=now(),
            labels=dict(self.options.labels),
            created_at=self.created_at,
        )
        with operations.naming(record), self.database.transaction() as session:
            session.add(record)
            session.flush()
        self._listed = True

    def _beat(self, progress: float | None) -> None:
        with self.database.transaction() as session:
            records.beat(session, self.id, progress)

    def _finish(self, record: DatasetRecord, answer: Callable[[Session, DatasetRecord], Answer]) -> Answer:
        with operations.adding(self.database, self.storage, record, self.counted) as session:
            return answer(session, record)

    def _forget(self) -> None:
        """Delete the row. If this fails, recovery removes the row once its last beat is too old."""
        if self._listed:
            with suppress(SQLAlchemyError, DescentError), self.database.transaction() as session:
                records.delete_loading(session, self.id)


MOST_PEEKED = 1 << 10
"""Bytes that tell the form of a body, and the name of the first member of a zip."""
_FIRST_BYTES = {
    rb"PAR1[\x00-\x08\x0e-\x1f]": MediaType.PARQUET,
    rb"ARROW1\0\0": MediaType.ARROW_FILE,
    rb"\xff\xff\xff\xff": MediaType.ARROW_STREAM,
    rb"PK\x03\x04": MediaType.NPZ,
    rb"\x93NUMPY": MediaType.NPY,
}
"""Patterns of the first bytes of forms: CSV may begin with the same letters."""


def recognised(first: bytes) -> MediaType | None:
    """Return the form of a body that begins so; None where it may be CSV, or anything else."""
    if first.startswith(ZIP) and not begins_with_an_array(first):
        return MediaType.CSV
    return next((kind for start, kind in _FIRST_BYTES.items() if re.match(start, first)), None)


def _form(media_type: str, pipe: BodyPipe) -> str:
    """The media type, recognised by the first bytes where the sender names only a general one.

    Raises:
        WrongFormat: they are not of any form that is recognised.
    """
    if media_type not in ANY_FORM:
        return media_type
    found = recognised(pipe.peek(MOST_PEEKED))
    if found is None:
        known = ", ".join(_FIRST_BYTES.values())
        raise WrongFormat(
            f"By its first bytes this is none of {known}: name its type in Content-Type, such as {MediaType.CSV}."
        )
    return found


def _cause(filling: "asyncio.Task[None]", listing: "asyncio.Task[None]", error: BaseException) -> BaseException:
    """Return the cause of a failed upload: where its body broke off, the error that broke it off."""
    if not isinstance(error, asyncio.CancelledError):
        return _error_of(listing) or _error_of(filling) or error
    return error


def _error_of(task: "asyncio.Task[None]") -> BaseException | None:
    return None if task.cancelled() else task.exception()
