"""Rows that were written under any schema there ever was are there in the present one, and answer."""

from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, text
from starlette.testclient import TestClient

from service.database.database import Database
from service.database.migrate import migrate
from service.database.revisions import revisions
from service.ids import new_id
from tests.support.applications import application

COLUMN = '[{{"name": "{}", "kind": "numeric", "categories": null, "fill": null, "width": 1}}]'
TIME = "2026-01-01 00:00:00.000000"
RECIPE = '{"from_version": 0, "epochs": 1, "loss": "mse", "optimiser": "Descent"}'
PLAN = '{"parameter_count": 2, "path": "quadratic", "operations": 1, "seconds": 1}'


def rows_of(schema: str) -> dict[str, dict[str, Any]]:
    """A row of each table of the first schema, with the columns that were there from the beginning."""
    dataset, model, job = (new_id(kind) for kind in ("ds", "mdl", "job"))
    parts = {"train_rows": 2, "validation_rows": 0, "test_rows": 0}
    columns = {"features": COLUMN.format("x"), "targets": COLUMN.format("y")}
    return {
        "datasets": {"id": dataset, "name": f"d{schema}", "dtype": "float32", "sha256": "0" * 64, "statistics": "[]"}
        | {**parts, **columns, "created_at": TIME},
        "models": {"id": model, "name": f"m{schema}", "architecture": "Dense(1 => 1)", "dtype": "float32"}
        | {"parameter_count": 2, "seeded": 1, "created_at": TIME, "next_version": 1},
        "versions": {"model_id": model, "number": 0, "parameters": b"", "created_at": TIME},
        "jobs": {"id": job, "model_id": model, "dataset_id": dataset, "recipe": RECIPE, "plan": PLAN, "advice": "[]"}
        | {"state": "cancelled", "attempt": 1, "losses_of_worker": 0, "progress": 0, "epochs_done": 0}
        | {"created_at": TIME, "losses_since_checkpoint": 0},
        "evaluations": {"id": new_id("ev"), "model_id": model, "version": 0, "dataset_id": dataset, "part": "train"}
        | {"metrics": "{}", "rows": 2, "created_at": TIME},
    }


def add(database: Database, schema: str) -> None:
    inspector = inspect(database.engine)
    with database.rebuilding() as connection:
        for table, values in rows_of(schema).items():
            there = {column["name"] for column in inspector.get_columns(table)}
            given = {name: value for name, value in values.items() if name in there}
            names = ", ".join(f":{name}" for name in given)
            statement = f"INSERT INTO {table} ({', '.join(given)}) VALUES ({names})"  # noqa: S608 - names from this file
            connection.execute(text(statement), given)


def test_rows_of_every_schema_answer_in_the_present_one(tmp_path: Path) -> None:
    known = revisions()
    with closing(Database(f"sqlite:///{tmp_path / 'descent.db'}")) as database:
        for schema in known:
            migrate(database, schema)
            add(database, schema)
        with database.reading() as session:
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
        with closing(TestClient(application(tmp_path, database), "http://localhost")) as http:
            for noun, letter in (("datasets", "d"), ("models", "m"), ("jobs", None)):
                items = http.get(f"/api/{noun}?limit=1000").raise_for_status().json()["items"]
                assert len(items) == len(known)
                for each in items:
                    assert http.get(f"/api/{noun}/{each['id']}").json() == each
                    assert each["owner"] == "default"
                if letter is not None:
                    assert {each["name"] for each in items} == {f"{letter}{schema}" for schema in known}
            for each in http.get("/api/models?limit=1000").json()["items"]:
                assert len(http.get(f"/api/models/{each['id']}/evaluations").json()["items"]) == 1
