"""Bring a database to the present schema."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.database.engine import Database

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parents[2] / "migrations"
"""Beside the package, in a checkout, an image and an installed wheel alike."""


def revisions() -> list[str]:
    """The schemas that this version of the service knows, oldest first."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def migrate(database: Database, revision: str = "head") -> None:
    """Run the migrations up to `revision` in one transaction, where the schema is not there yet.

    The transaction takes the write lock first, so that services which start together do not both migrate.
    """
    config = configuration()
    with database.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if revision == "head" and present == ScriptDirectory.from_config(config).get_current_head():
        return
    with database.rebuilding() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    log.info("the database was brought from schema %s to %s", present or "none", revisions()[-1])
