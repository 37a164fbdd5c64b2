"""Resources that the application holds, as endpoints ask for them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from service.database.database import Database
from service.storage.storage import Storage


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _storage(request: Request) -> Storage:
    storage: Storage = request.app.state.storage
    return storage


DatabaseOf = Annotated[Database, Depends(_database)]
StorageOf = Annotated[Storage, Depends(_storage)]
