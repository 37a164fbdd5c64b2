"""The making of a backup, also while the service runs."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from service.backup import archive, snapshot
from service.backup.archive import DATABASE, Manifest
from service.backup.snapshot import Snapshot
from service.errors import Unavailable
from service.startup.preparation import Refused, database_file
from service.startup.private_folder import close_new_files
from service.storage.hold import Hold, holding
from service.storage.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.settings import Settings

ATTEMPTS = 10
"""Snapshots that are taken where datasets are deleted between a snapshot and the hold of their files."""


def back_up(settings: "Settings", target: Path) -> Manifest:
    """Write the database, as it is at one moment, and the files of its datasets to a new archive.

    Raises:
        Refused: there is nothing to back up, or the archive cannot be written.
    """
    database = database_file(settings)
    if not database.exists():
        raise Refused(f"There is nothing to back up: {database} is not there. DESCENT_DATA names the folder.")
    if target.exists():
        raise Refused(f"{target} is there already: name another file, or remove it.")
    close_new_files()
    storage = Storage(settings.storage_address, settings.cache)
    with _refusing(target), _scratch(target) as scratch, holding(storage, scratch) as hold:
        copy = scratch / DATABASE
        found = _held_snapshot(database, copy, hold)
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(version("descent"), found.schema, moment, found.counts)
        with archive.writing(target, manifest) as writer:
            writer.add(DATABASE, copy)
            for dataset in sorted(found.datasets):
                for file in hold.files(dataset):
                    writer.add(f"datasets/{dataset}/{file.name}", file)
                hold.drop(dataset)
    return manifest


def _held_snapshot(database: Path, copy: Path, hold: Hold) -> Snapshot:
    """Copy the database to a moment at which all files that it names are held."""
    for _ in range(ATTEMPTS):
        copy.unlink(missing_ok=True)
        hold.add_all()
        found = snapshot.take(database, copy)
        new = found.datasets - hold.datasets
        for dataset in new:
            hold.add(dataset)
        # files go after the row, one by one: those held just now are whole where the row is there still
        if found.datasets <= hold.datasets and snapshot.still_there(database, new):
            return found
        for dataset in new:
            hold.drop(dataset)
    raise Refused("Datasets are deleted faster than they can be held: try again at a quieter time.")


@contextmanager
def _scratch(target: Path) -> "Iterator[Path]":
    """A folder beside the archive, for the copy of the database."""
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _refusing(target: Path) -> "Iterator[None]":
    """Turn errors of the disk, the database and the bucket into a sentence."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Refused(f"{target} cannot be written ({reason}): name a file on a disk with room.") from None
    except sqlite3.Error as error:
        raise Refused(f"The database cannot be copied ({error}): `descent doctor` looks for the cause.") from None
    except Unavailable as error:
        raise Refused(error.detail) from None
