"""Bring a database to the present schema."""

import logging
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.database import upgrade
from service.database.database import Database
from service.database.disk_faults import disk_fault
from service.database.revisions import MIGRATIONS, revisions
from service.errors import CannotWrite

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

REMEDIES = {
    "storage_full": "there is no room left on the disk: free some",
    "storage_read_only": "the disk can only be read: make it writable",
}
"""Reason and remedy, by the code of the error that keeps the tables from being changed."""


def configuration() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def revision_of(database: Database) -> str | None:
    """Return the schema's revision that the database records; None where it records none, or several."""
    try:
        with database.engine.connect() as connection:
            found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    except DBAPIError:  # there is no such table
        return None
    return str(found[0]) if len(found) == 1 else None


def migrate(database: Database, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction, where the schema is not there yet.

    The transaction takes the write lock first, so that services which start together do not both migrate.

    Raises:
        CannotWrite: the disk is full, or can only be read; the database is as it was.
    """
    present = revision_of(database)
    if revision == "head" and present == revisions()[-1]:
        return
    from alembic import command  # here: it takes half a second, and most starts find the schema as it should be

    config, copy = configuration(), None
    try:
        if database.file is not None and revision == "head":
            database.close()  # a file that is rebuilt can have no other readers
            copy = upgrade.prepare(database.file, present, revisions()[-1])
        with database.rebuilding() as connection:
            config.attributes.update({"connection": connection, "from": present})
            command.upgrade(config, revision)
    except (DBAPIError, sqlite3.Error) as error:
        if (fault := disk_fault(error)) is None:
            raise
        remedy = REMEDIES[fault.code or ""]
        raise CannotWrite(f"The tables cannot be brought up to date: {remedy}, and start again.", fault.code) from None
    if copy is not None:
        upgrade.forget_older(copy)
    log.info("the database was brought from schema %s to %s", present or "none", revisions()[-1])
