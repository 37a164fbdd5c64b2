"""Disks that are full, or can only be read: a small file system where this user may mount one, else limits."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import event

from service.database.database import Database

BLOCK = 4096


class SmallDisk:
    """A file system of 32 MiB in memory, which can be filled to the last block and emptied again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Write until nothing more can be written."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(BLOCK))
            except OSError:
                pass
        assert shutil.disk_usage(self.folder).free == 0

    def empty(self) -> None:
        self._filler.unlink()

    def remount(self, how: Literal["ro", "rw"]) -> None:
        """Let the disk be read only, or written again; no process may have files open to write."""
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A small disk; the test is skipped where this user may mount nothing."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may mount no file system")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def no_more_pages(*databases: Database) -> Iterator[None]:
    """Let none of these databases grow within the block, as on a full disk."""

    def limit(connection: object, _record: object, _proxy: object, most: int = 1) -> None:
        connection.execute(f"PRAGMA max_page_count={most}")  # type: ignore[attr-defined]  # SQLite cuts to what there is

    def unlimit(connection: object, record: object, proxy: object) -> None:
        limit(connection, record, proxy, most=1 << 30)

    for database in databases:
        event.listen(database.engine, "checkout", limit)
    try:
        yield
    finally:
        for database in databases:
            event.remove(database.engine, "checkout", limit)
            event.listen(database.engine, "checkout", unlimit)
