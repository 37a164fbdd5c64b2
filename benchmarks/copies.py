"""A model with many versions, made by copying the rows of one training, whatever columns the tables have."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, create_engine, literal, select

ID = "{}_{:026d}"
"""In the alphabet of ids."""


def size(database: Path) -> int:
    """Return the bytes of a database, without the log of its last writes."""
    with closing(sqlite3.connect(database)) as connection:
        ((pages,),) = connection.execute("PRAGMA page_count")
        ((page,),) = connection.execute("PRAGMA page_size")
        return int(pages) * int(page)


def multiply(database: Path, model: str, versions: int) -> None:
    """Give a model as many versions, each with a job, its reports and an evaluation like those of its only one."""
    engine, tables = create_engine(f"sqlite:///{database}"), MetaData()
    tables.reflect(engine)
    kept, made = tables.tables["versions"].c, tables.tables["evaluations"].c
    reports = [table for name, table in tables.tables.items() if name in ("epochs", "reports")]
    with engine.begin() as connection:
        job = connection.scalar(select(kept.job_id).where(kept.model_id == model, kept.number == 1))
        evaluation = connection.scalar(select(made.id).where(made.model_id == model))
        for version in range(2, versions + 1):
            new = ID.format("job", version)
            copy(connection, tables.tables["jobs"], {"id": job}, id=new, version=version)
            copy(connection, tables.tables["versions"], {"job_id": job}, job_id=new, number=version)
            fresh = {"id": ID.format("ev", version), "version": version}
            copy(connection, tables.tables["evaluations"], {"id": evaluation}, **fresh)
            for table in reports:
                copy(connection, table, {"job_id": job}, job_id=new)
    engine.dispose()


def copy(connection: Connection, table: Table, key: dict[str, Any], **changes: Any) -> None:
    """Copy the rows of one key with some columns changed."""
    columns = [literal(changes[column.name]) if column.name in changes else column for column in table.c]
    rows = select(*columns).where(*(table.c[name] == value for name, value in key.items()))
    connection.execute(table.insert().from_select(table.c.keys(), rows))
