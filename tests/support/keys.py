"""Keys for services of tests, made as the command makes them: in the database."""

from pathlib import Path

from service.access import operations
from service.access.schemas import NewKey
from service.database.caller import WITHOUT_KEYS
from tests.support.databases import database_in


def mint(folder: Path, name: str, **given: object) -> str:
    """Make a key of this name in a data folder; return its text."""
    database = database_in(folder)
    try:
        with database.transaction() as session:
            return operations.mint(session, NewKey.model_validate({"name": name, **given}), WITHOUT_KEYS)[1]
    finally:
        database.close()
