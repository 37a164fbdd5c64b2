"""An empty store and a fresh database, for what works on them without a service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.database.database import Database
from service.database.migrate import migrate
from service.storage.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "datasets", tmp_path / "cache")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    migrate(database)
    yield database
    database.close()
