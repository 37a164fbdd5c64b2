"""Filtered lists read no more rows than they show: an index has those of a label, a time or a name side by side."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text

from service.database.database import Database
from service.database.labels import TABLES
from service.database.lookup import Filters
from service.database.record import now
from service.ids import new_id
from service.models import blueprints, operations, records
from service.models.records import ModelRecord
from service.models.schemas import NewModel


def create(database: Database, labels: dict[str, str], name: str | None = None) -> str:
    blueprint = blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), blueprints.Largest(10))
    with database.transaction() as session:
        return operations.create(session, name, blueprint, labels).id


def plan(database: Database, filters: Filters, after: str | None = None) -> list[str]:
    """The steps by which SQLite reads the models of a page."""
    steps: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps.extend(row[3] for row in cursor.fetchall())

    event.listen(database.engine, "before_cursor_execute", explain)
    with database.reading() as session:
        records.page(session, 50, after, filters)
    event.remove(database.engine, "before_cursor_execute", explain)
    return [step for step in steps if "versions" not in step and "SUBQUERY" not in step]


LABELS = (("team", "blue"), ("kept", "yes"))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("filters", "begins"),
    [
        (Filters(LABELS[:1]), "USING COVERING INDEX ix_models_labels_key_value_id (key=? AND value=?"),
        (Filters(LABELS), "USING COVERING INDEX ix_models_labels_key_value_id (key=? AND value=?"),
        (Filters(LABELS, created_after=now() - HOUR), "ix_models_labels_key_value_id (key=? AND value=? AND id>?"),
        (Filters(created_after=now() - HOUR), "ix_models_owner_id (owner=? AND id>?"),
        (Filters(), "ix_models_owner_id (owner=?"),
    ],
    ids=["label", "two labels", "label and time", "time", "none"],
)
@pytest.mark.parametrize("later", [False, True], ids=["first page", "later page"])
def test_a_page_is_read_in_the_order_of_an_index(
    database: Database, filters: Filters, begins: str, later: bool
) -> None:
    create(database, dict(LABELS))
    steps = plan(database, filters, new_id("mdl") if later else None)
    assert begins in steps[0]
    assert all("TEMP B-TREE" not in step and not step.startswith("SCAN models USING INDEX ix") for step in steps)
    assert all("SEARCH" in step for step in steps[1:])


def test_names_that_begin_alike_are_found_by_their_index(database: Database) -> None:
    create(database, {}, "straight")
    assert "name>? AND name<?" in plan(database, Filters(name="str"))[0]


def test_rows_of_labels_follow_those_that_they_label(database: Database) -> None:
    table = TABLES["models"]

    def rows() -> list[tuple[str, str]]:
        with database.reading() as session:
            return [(key, value) for key, value in session.execute(select(table.c.key, table.c.value))]

    id = create(database, {"team": "blue"})
    assert rows() == [("team", "blue")]
    with database.transaction() as session:
        records.find(session, id).name = "other"
    assert rows() == [("team", "blue")]
    with database.transaction() as session:
        records.find(session, id).labels = {"a": "1", "b": "2"}
    assert sorted(rows()) == [("a", "1"), ("b", "2")]
    operations.delete(database, id)
    assert rows() == []


def test_things_of_before_have_no_labels(database: Database) -> None:
    with database.transaction() as session:
        values = {"id": new_id("mdl")}
        session.execute(
            text(
                "INSERT INTO models (id, name, architecture, dtype, parameter_count, seeded, created_at) "
                "VALUES (:id, 'm', 'Dense(1 => 1)', 'float32', 2, true, '2026-01-01')"
            ),
            values,
        )
    with database.reading() as session:
        assert session.get_one(ModelRecord, values["id"]).labels == {}
