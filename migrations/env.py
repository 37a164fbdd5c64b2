"""Alembic's entry: the connection that the service hands over, or for the alembic command one by the settings."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from service.database.database import Database
from service.database.record import Record, UtcDateTime
from service.datasets import records as datasets
from service.evaluations import records as predictions
from service.idempotency import records
from service.jobs import records as jobs
from service.models import records as models
from service.settings import Settings

MODULES = (records, datasets, models, jobs, predictions)
"""Imported for their tables, which fill `Record.metadata`."""


def render_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations outlive our own types: a new one names the column type behind them."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Record.metadata,
        render_as_batch=True,  # SQLite changes a table by copying it
        compare_server_default=True,
        render_item=render_type,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    database = Database(Settings().database_url)
    with database.rebuilding() as connection:
        run(connection)
    database.close()
