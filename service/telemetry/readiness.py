"""Whether there is room to write, for the probe of readiness."""

import shutil
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from service.database.database import Database
from service.database.disk_faults import full, is_read_only, read_only
from service.idempotency import records


class Life(BaseModel):
    """The answer of a process that is alive."""

    status: Literal["live"] = Field(description="always the same")


class Readiness(BaseModel):
    """The answer of a service that can work."""

    status: Literal["ready"] = Field(description="always the same")


LEAST = 1 << 16
"""Bytes; a disk with less room is as good as full."""


class Room:
    """A check that database and storage can grow; once the disk was found full, it grows them for a moment."""

    def __init__(self, database: Database, storage: Path) -> None:
        self._database = database
        self._storage = storage
        self._good = 0.0
        """The mark of a full disk that a write has since proved wrong."""

    def check(self) -> None:
        """Raise CannotWrite where there is no room."""
        reserve = self._database.reserve
        folders = {each for each in (self._storage, self._database.file and self._database.file.parent) if each}
        for folder in filter(Path.exists, folders):
            if is_read_only(folder):
                raise read_only()
            if shutil.disk_usage(folder).free < LEAST:
                raise full()
        if reserve is None:
            return
        mark = reserve.marked()
        if mark > self._good:
            self._grow()
            self._good = mark
        reserve.fill()

    def _grow(self) -> None:
        with self._database.transaction() as session:
            records.add_probe(session, LEAST)
        with self._database.transaction() as session:
            records.drop_probe(session)
