"""The rules of datasets."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.database import lookup
from service.database.database import Database
from service.database.record import now
from service.datasets import records
from service.datasets.faults import Faults, Note
from service.datasets.formats.json_columns import json_table
from service.datasets.ingest.preview import preview_table
from service.datasets.ingest.roles import Most, Options
from service.datasets.ingest.store import store_table
from service.datasets.records import DatasetRecord
from service.datasets.schemas import NewDataset
from service.datasets.table import Table
from service.errors import Conflict
from service.http.json_numbers import JsonObject
from service.ids import new_id
from service.storage.storage import Storage
from service.wire import PartName

__all__ = ["Options", "adding", "create", "delete", "naming", "preview", "refuse_taken", "rows", "store"]


Counted = Callable[[int], AbstractContextManager[None]]
"""A count of the bytes that are added within a block, which may refuse them."""


def store(storage: Storage, table: Table, options: Options) -> DatasetRecord:
    """Keep a table that is in memory; the row follows with `adding`.

    Raises:
        Invalid: rows, targets or parts are impossible.
        Unavailable: the storage is full or out of reach.
    """
    return store_table(storage, lambda _, __: table, options, new_id("ds"), now())


def create(storage: Storage, new: NewDataset, most: Most) -> DatasetRecord:
    """Keep the data of a JSON body; the row follows with `adding`. Raises as `store` does."""
    return store_table(storage, *_as_json(new, most), new_id("ds"), now())


def preview(storage: Storage, new: NewDataset, most: Most, faults: Faults) -> JsonObject:
    """Return what a JSON body would become, and all its faults beside those."""
    return preview_table(storage, *_as_json(new, most), faults)


def _as_json(new: NewDataset, most: Most) -> tuple[Callable[[Path, Note], Table], Options]:
    def read(_: Path, note: Note) -> Table:
        return json_table(new.columns, new.types, new.dtype, note)

    return read, Options(new.name, new.targets, new.split, new.dtype, new.missing, most, new.labels)


@contextmanager
def adding(
    database: Database, storage: Storage, record: DatasetRecord, counted: Counted = lambda _: nullcontext()
) -> Iterator[Session]:
    """A transaction that adds the row of stored data, or makes ready the one that was loading.

    Its bytes are `counted` meanwhile. Where something fails, the files go.

    Raises:
        Conflict: the name is taken.
        TooLarge: the owner may not have so many bytes.
    """
    try:
        with counted(record.bytes), naming(record), database.transaction() as session:
            kept = session.merge(record)
            session.flush()
            record.owner, record.shared = kept.owner, kept.shared
            yield session
    except BaseException:
        storage.delete(record.id, record.sha256)
        raise


@contextmanager
def naming(record: DatasetRecord) -> Iterator[None]:
    """Raise Conflict where the row could not be added because its name is taken."""
    try:
        yield
    except IntegrityError:
        raise _taken(record.name) from None


def refuse_taken(database: Database, name: str | None) -> None:
    """Raise Conflict where a dataset has this name already."""
    if name is not None:
        with database.reading() as session:
            if records.is_taken(session, name):
                raise _taken(name)


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a dataset {name!r} already.", "name_taken")


def rows(
    record: DatasetRecord, storage: Storage, part: PartName | None, limit: int, after: str | None
) -> tuple[list[JsonObject], str | None]:
    """Return a page of rows, part by part (train, validation, test, calibration), each in the order of the upload."""
    arrays = storage.open(record.id, record.content_hash)
    whole = record.slice_of(part) if part else slice(0, record.rows)
    start = whole.start + lookup.position_of(after, whole.stop - whole.start)
    stop = min(start + limit, whole.stop)
    columns = [*record.features, *record.targets]
    items = [
        {
            "row": int(arrays.numbers[index]),
            "part": part or record.part_at(index),
            "values": {
                column.name: column.value(stored)
                for column, stored in zip(columns, (*arrays.inputs[index], *arrays.targets[index]), strict=True)
            },
        }
        for index in range(start, stop)
    ]
    return items, str(stop - whole.start) if stop < whole.stop else None


def delete(database: Database, storage: Storage, reference: str) -> None:
    """Delete the row, then the files: what a crash leaves in between is swept at the next start.

    Raises:
        NotFound: there is no such dataset.
        Conflict: it is loading, or a job that has not ended holds it (the database's foreign key decides).
    """
    try:
        with database.transaction() as session:
            record = records.find_ready(session, reference)
            session.delete(record)
            session.flush()
    except IntegrityError:
        where = f"/api/jobs?dataset={reference}, /api/sweeps or /api/cross-validations"
        detail = f"A job that has not ended needs dataset {reference!r}: see {where}."
        raise Conflict(detail, "dataset_in_use") from None
    storage.delete(record.id, record.sha256)
