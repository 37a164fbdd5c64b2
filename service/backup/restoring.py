"""The restore: an archive becomes the data of a service that has none yet."""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service.backup import archive
from service.backup.archive import DATABASE, BadArchive, Manifest
from service.database.database import Database
from service.database.migrate import migrate
from service.database.revisions import revisions
from service.errors import CannotWrite, Unavailable
from service.jobs import queue
from service.startup import preparation
from service.startup.preparation import Refused, database_file
from service.storage.storage import UNFINISHED, Storage

if TYPE_CHECKING:
    from service.settings import Settings


def check(path: Path) -> Manifest:
    """Read an archive, and return its manifest where every sum agrees.

    Raises:
        Refused: it is torn, or of a newer Descent.
    """
    with _refusing(path):
        manifest = archive.read(path)
    if manifest.schema not in revisions():
        raise Refused(f"{path} has schema {manifest.schema}, which this Descent does not know: update Descent.")
    return manifest


def restore(settings: "Settings", path: Path) -> tuple[Manifest, list[str]]:
    """Put database and files in their places, which are empty, and return the manifest and the jobs that ran.

    Those wait again, and go on from their checkpoints. The database comes last: before it is there, nothing is.

    Raises:
        Refused: the archive is torn, the folder is used, a service runs, or the disk has no room.
    """
    _refuse_used(settings)
    manifest = check(path)
    preparation.check(settings)
    lock = preparation.locked(settings)
    try:
        _refuse_used(settings)
        with _refusing(path):
            return manifest, _unpack(settings, path)
    finally:
        lock.release()


def _refuse_used(settings: "Settings") -> None:
    file = database_file(settings)
    if file.exists():
        raise _in_use(file, "DESCENT_DATABASE" if settings.database else None)
    try:
        holds_datasets = bool(Storage(settings.storage_address, settings.cache).datasets())
    except Unavailable as error:
        raise Refused(error.detail) from None
    if holds_datasets:
        raise _in_use(settings.storage_address, "DESCENT_STORAGE" if settings.storage else None)


def _in_use(used: Path | str, setting: str | None) -> Refused:
    """Return the refusal of a place that is set by a variable of its own, or lies in the folder of data."""
    place = f"another {setting}" if setting else "an empty folder, such as DESCENT_DATA=./restored"
    return Refused(f"{used} is in use: restore into {place}.")


def _unpack(settings: "Settings", path: Path) -> list[str]:
    file, storage = database_file(settings), Storage(settings.storage_address, settings.cache)
    with ExitStack() as undone:
        database = file.parent / f"{UNFINISHED}{file.name}.restored"
        files = storage.folder / f"{UNFINISHED}restored"
        for folder in (database, files):
            shutil.rmtree(folder, ignore_errors=True)  # of a restore that was killed
            undone.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.mkdir(parents=True)
        manifest = archive.read(path, _placed(database, files))
        jobs = _brought_up_to_date(database / DATABASE)
        for dataset in sorted({name.split("/")[1] for name in manifest.files if name != DATABASE}):
            undone.callback(storage.delete, dataset)
            storage.give_back(dataset, files / dataset)
        (database / DATABASE).rename(file)
        undone.pop_all()
    shutil.rmtree(database)
    shutil.rmtree(files)
    return jobs


def _placed(database: Path, files: Path) -> archive.Keep:
    def place(name: str) -> Path:
        if name == DATABASE:
            return database / DATABASE
        _, dataset, file = name.split("/")
        (files / dataset).mkdir(exist_ok=True)
        return files / dataset / file

    return place


def _brought_up_to_date(file: Path) -> list[str]:
    """Give the database the present schema, and queue the jobs that ran again."""
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database)
        with database.transaction() as session:
            return queue.release_all(session)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except BadArchive as error:
        raise Refused(f"{path} cannot be restored: {error.detail}.") from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Refused(f"{error.filename or path}: {reason}: see to it, and restore again.") from None
    except (CannotWrite, Unavailable) as error:
        raise Refused(error.detail) from None
