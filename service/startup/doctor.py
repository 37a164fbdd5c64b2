"""An examination of a set-up, which changes nothing: each finding has a remedy where something is wrong."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from service.database.lock import FileLock
from service.database.revisions import revisions
from service.errors import DescentError
from service.settings import Settings
from service.startup import preparation, traces
from service.startup.preparation import Refused, database_file

LEAST_ROOM = 256 << 20
"""Bytes; a disk with less is soon full."""
PATIENCE = 3.0
"""Seconds that a scheduler or a collector has to answer."""


class Finding(NamedTuple):
    """A sentence on one part of the set-up."""

    is_well: bool
    sentence: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each part: folders, database, disks, storage, port and doors, scheduler, traces."""
    for check in (_folders, _database, _rooms, _storage, _port, _scheduler, _traces):
        yield from _told(check, settings)


def _told(check: Callable[[Settings], Iterator[str]], settings: Settings) -> Iterator[Finding]:
    """Yield each part that a check finds in order, up to the fault that ends it."""
    try:
        for sentence in check(settings):
            yield Finding(True, sentence)
    except Refused as error:
        yield Finding(False, str(error))
    except DescentError as error:
        yield Finding(False, error.detail)
    except sqlite3.Error as error:
        remedy = "put a backup in its place (`descent restore`)"
        yield Finding(False, f"{database_file(settings)} cannot be read ({error}): {remedy}.")


def _folders(settings: Settings) -> Iterator[str]:
    preparation.check_places(settings)
    yield f"{settings.data.absolute()} can be written."


def _database(settings: Settings) -> Iterator[str]:
    file = database_file(settings)
    if not file.exists():
        yield f"There is no database yet: the first start makes {file}."
        return
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise Refused(f"{file} is damaged ({found}): put a backup in its place (`descent restore`).")
        recorded = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    schema = None if recorded is None else recorded[0]
    if schema == revisions()[-1]:
        yield f"{file} is whole, and has schema {schema}."
    else:
        yield f"{file} is whole, and has schema {schema}: the next start brings it to {revisions()[-1]}."


def _rooms(settings: Settings) -> Iterator[str]:
    places = {"DESCENT_DATA": settings.data, "DESCENT_DATABASE": database_file(settings).parent}
    if "://" not in settings.storage_address:
        places["DESCENT_STORAGE"] = Path(settings.storage_address)
    folders = {_nearest(folder): name for name, folder in reversed(places.items())}
    for folder, name in folders.items():
        free = shutil.disk_usage(folder).free
        if free < LEAST_ROOM:
            remedy = "free some, or set DESCENT_KEEP_JOBS and the like"
            raise Refused(f"{name}: {free / 1e6:,.0f} MB are free in {folder}: {remedy} (docs/operating.md).")
        yield f"{free / 1e9:,.1f} GB are free in {folder}."


def _nearest(folder: Path) -> Path:
    """Return the folder, or the first one above it that exists."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _storage(settings: Settings) -> Iterator[str]:
    if "://" not in settings.storage_address:
        return
    from service.storage.storage import Storage

    count = len(Storage(settings.storage_address, settings.cache).datasets())
    yield f"The bucket answers, and has {count} datasets."


def _port(settings: Settings) -> Iterator[str]:
    if _is_locked(database_file(settings)):
        yield f"A service works with {database_file(settings)}: its port is taken, and not looked at."
        return
    preparation.check_port(settings)
    yield f"Port {settings.port} of {settings.host} is free, and who may come in is settled."


def _is_locked(file: Path) -> bool:
    place = file.with_name(f"{file.name}.lock")
    if not place.exists():
        return False
    lock = FileLock(place)
    lock.release()
    return not lock.held


def _scheduler(settings: Settings) -> Iterator[str]:
    if settings.scheduler is None:
        return
    remedy = "start one with `dask scheduler`, or leave DESCENT_SCHEDULER out for workers of its own"
    _check_answers(settings.scheduler, 8786, f"No scheduler answers at {settings.scheduler}", remedy)
    yield f"A scheduler answers at {settings.scheduler}."


def _traces(_: Settings) -> Iterator[str]:
    if not traces.are_wanted(os.environ):
        return
    if (fault := traces.fault(os.environ)) is not None:
        raise Refused(fault)
    host, port = traces.place(os.environ)
    remedy = f"start one, or set {traces.EXPORTER}=none; until then traces are lost"
    _check_answers(traces.collector(os.environ), port, f"No collector of traces answers at {host}:{port}", remedy)
    yield f"A collector of traces answers at {host}:{port}."


def _check_answers(url: str, port: int, fault: str, remedy: str) -> None:
    """Check that something listens at the URL, or at this port where it names none.

    Raises:
        Refused: nothing does.
    """
    try:
        address = urlsplit(url)
        socket.create_connection((address.hostname or "", address.port or port), PATIENCE).close()
    except (OSError, ValueError, UnicodeError) as error:
        raise Refused(f"{fault} ({error}): {remedy}.") from None
