"""Keys for services of tests, made as the command makes them: in the database."""

from pathlib import Path

from service.access import operations
from service.access.schemas import NewKey
from service.database.caller import WITHOUT_KEYS
from service.database.database import Database
from service.database.migrate import migrate


def mint(folder: Path, name: str, **given: object) -> str:
    """Make a key of this name in a data folder; return its text."""
    database = Database(f"sqlite:///{folder / 'descent.db'}")
    migrate(database)
    try:
        with database.transaction() as session:
            return operations.mint(session, NewKey.model_validate({"name": name, **given}), WITHOUT_KEYS)[1]
    finally:
        database.close()
