"""Alembic's entry: the connection that the service hands over, or for the alembic command one by the settings."""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationInfo
from sqlalchemy import Connection

import service
from service.database.database import Database
from service.database.record import AsJson, Record, UtcDateTime
from service.settings import Settings

log = logging.getLogger("service.database.migrate")

SERVICE = Path(service.__file__).parent
for path in SERVICE.rglob("records.py"):  # for their tables, which fill `Record.metadata`
    import_module(".".join(path.relative_to(SERVICE.parent).with_suffix("").parts))


def render_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations outlive our own types: a new one names the column type behind them."""
    if kind == "type" and isinstance(item, AsJson):
        return "sa.JSON(none_as_null=True)"
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def number(_context: Any, _revision: Any, scripts: list[MigrationScript]) -> None:
    """Name a new migration by the number after the newest one's, unless it was given a name."""
    newest = context.script.get_current_head()
    for script in scripts:
        if getattr(context.config.cmd_opts, "rev_id", None) is None:
            script.rev_id = f"{int(newest or 0) + 1:04}"


def tell(ctx: Any, step: MigrationInfo, heads: Any, run_args: Any) -> None:
    """Write a line for each step of a database that is brought up to date; a new one has no history."""
    script = context.script.get_revision(step.up_revision_id or "head")
    if step.is_upgrade and context.config.attributes.get("from") is not None:
        log.info("the database goes to schema %s: %s", script.revision, script.doc)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Record.metadata,
        render_as_batch=True,  # SQLite changes a table by copying it
        compare_server_default=True,
        render_item=render_type,
        process_revision_directives=number,
        on_version_apply=tell,
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
