"""Migrations go up, down and up again, and lose no rows."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import String, inspect, text
from sqlalchemy.exc import IntegrityError

from service.database.database import Database
from service.database.migrate import configuration, migrate
from service.database.record import Record
from service.errors import Conflict
from service.jobs import queue
from service.jobs import records as records_of_jobs
from service.jobs.reports import records as kept
from service.jobs.reports.packing import reports_of
from service.jobs.states import State
from service.models import blueprints, operations, records
from service.models.schemas import NewModel
from tests.support.databases import database_in


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    yield database
    database.close()


@pytest.fixture
def present(tmp_path: Path) -> Iterator[Database]:
    """A database that all migrations have made."""
    database = database_in(tmp_path)
    yield database
    database.close()


def downgrade(database: Database, revision: str) -> None:
    config = configuration()
    with database.rebuilding() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_every_column_and_index_of_the_records(present: Database) -> None:
    assert tables(present) == set(Record.metadata.tables)
    with present.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Record.metadata) == []


def test_migrating_twice_changes_nothing(present: Database) -> None:
    with present.transaction() as session:
        id = operations.create(
            session,
            "kept",
            blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), blueprints.Largest(10)),
        ).id
    migrate(present)
    with present.reading() as session:
        assert records.find(session, "kept").id == id


def test_each_migration_goes_down_to_the_one_before_and_up_again(present: Database) -> None:
    script = ScriptDirectory.from_config(configuration())
    revisions = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    for revision in [*reversed(revisions[:-1]), "base"]:
        downgrade(present, revision)
    assert tables(present) == set()
    for revision in revisions:
        migrate(present, revision)
    assert tables(present) == set(Record.metadata.tables)


def test_jobs_of_before_know_which_loss_their_best_is_of(database: Database) -> None:
    migrate(database, "0002")
    stops = '{"early_stopping": {"monitor": "train_loss"}}'
    plain = '{"early_stopping": null}'
    jobs = [
        ("stops", stops, 3, 0.5),
        ("validated", plain, 3, 0.5),
        ("trained", plain, 3, None),
        ("new", plain, None, 1),
    ]
    with database.rebuilding() as connection:
        for id, recipe, best, validation_loss in jobs:
            connection.execute(
                text(
                    "INSERT INTO jobs (id, model_id, dataset_id, recipe, plan, advice, state, attempt, "
                    "losses_of_worker, progress, epochs_done, best_epoch, created_at) VALUES "
                    "(:id, 'm', 'd', :recipe, '{}', '[]', 'running', 1, 0, 0, 0, :best, '2026-01-01')"
                ),
                {"id": id, "recipe": recipe, "best": best},
            )
            connection.execute(
                text(
                    "INSERT INTO epochs (job_id, epoch, train_loss, validation_loss, seconds) VALUES (:id, 3, 1, :v, 0)"
                ),
                {"id": id, "v": validation_loss},
            )
    migrate(database)
    with database.reading() as session:
        found = {row.id: row.best_of for row in session.execute(text("SELECT id, best_of FROM jobs"))}
    assert found == {"stops": "train_loss", "validated": "validation_loss", "trained": "train_loss", "new": None}


def test_losses_of_workers_so_far_count_as_since_the_last_checkpoint(database: Database) -> None:
    migrate(database, "0003")
    with database.rebuilding() as connection:
        for id, losses in (("steady", 0), ("unlucky", 4)):
            connection.execute(
                text(
                    "INSERT INTO jobs (id, model_id, dataset_id, recipe, plan, advice, state, attempt, "
                    "losses_of_worker, progress, epochs_done, created_at) VALUES "
                    "(:id, 'm', 'd', '{}', '{}', '[]', 'running', 1, :losses, 0, 0, '2026-01-01')"
                ),
                {"id": id, "losses": losses},
            )
    migrate(database, "0004")
    with database.reading() as session:
        found = session.execute(text("SELECT id, losses_of_worker, losses_since_checkpoint FROM jobs ORDER BY id"))
        assert found.all() == [("steady", 0, 0), ("unlucky", 4, 4)]


def test_reports_in_rows_stay_and_blocks_become_rows_again(database: Database) -> None:
    reports = [(0, 1.5, None, 0.1, 2.5, 0.25), (1, 1 / 3, 0.5, 0.1, None, 0.5), (2, 0.1, 0.25, 0.1, 0.2, 0.75)]
    with_job = "INSERT INTO epochs SELECT 'job', :epoch, :train_loss, :validation_loss, :rate, :norm, :seconds"
    names = ("epoch", "train_loss", "validation_loss", "rate", "norm", "seconds")
    migrate(database, "0004")
    with database.rebuilding() as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (id, model_id, dataset_id, recipe, plan, advice, state, attempt, losses_of_worker, "
                "progress, epochs_done, created_at) VALUES "
                "('job', 'm', 'd', '{}', '{}', '[]', 'running', 1, 0, 0, 0, '2026-01-01')"
            )
        )
        connection.execute(text(with_job), dict(zip(names, reports[0], strict=True)))
    migrate(database)
    for report in reports[1:]:
        with database.transaction() as session:
            kept.add(session, "job", reports_of([report]))
    assert reports_read(database) == reports
    downgrade(database, "0004")
    with database.reading() as session:
        rows = session.execute(text("SELECT * FROM epochs ORDER BY epoch")).all()
    assert [tuple(row)[1:] for row in rows] == reports
    migrate(database)
    assert reports_read(database) == reports


def reports_read(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as session:
        return [tuple(each.values()) for each in kept.read(session, "job", 0, 10).to_json()]


MODEL_OF_BEFORE = """
INSERT INTO models (id, name, architecture, dtype, parameter_count, seeded, created_at)
VALUES (:id, :id, 'Dense(1 => 1)', 'float32', 2, 1, '2026-01-01')
"""
VERSION_OF_BEFORE = """
INSERT INTO versions (model_id, number, job_id, parameters, created_at) VALUES (:id, :number, :job, x'', '2026-01-01')
"""
JOB_OF_BEFORE = """
INSERT INTO jobs (id, model_id, held_model_id, dataset_id, recipe, plan, advice, state, attempt, losses_of_worker,
  losses_since_checkpoint, progress, epochs_done, created_at)
VALUES (:id, 'm', :held, 'd', '{"from_version": 2, "epochs": 1, "loss": "mse", "optimiser": "Descent"}',
  '{"parameter_count": 2, "path": "quadratic", "operations": 1, "seconds": 1}', '[]', :state, 1, 0, 0, 0,
  0, '2026-01-01')
"""
EVALUATION_OF_BEFORE = """
INSERT INTO evaluations (id, model_id, version, dataset_id, part, metrics, rows, created_at)
VALUES ('ev', 'm', 1, 'd', 'test', '{}', 1, '2026-01-01')
"""


@pytest.fixture(scope="module")
def served_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database from before versions were served: two models, jobs that hold one of them and not, an evaluation."""
    file = tmp_path_factory.mktemp("served") / "descent.db"
    with closing(Database(f"sqlite:///{file}")) as database:
        migrate(database, "0006")
        with database.rebuilding() as connection:
            for model, latest in (("m", 3), ("untrained", 0)):
                connection.execute(text(MODEL_OF_BEFORE), {"id": model})
                for number in range(latest + 1):
                    connection.execute(text(VERSION_OF_BEFORE), {"id": model, "number": number, "job": None})
            for id, state, held in (("waits", "queued", "m"), ("ended", "succeeded", None)):
                connection.execute(text(JOB_OF_BEFORE), {"id": id, "state": state, "held": held})
            connection.execute(text(EVALUATION_OF_BEFORE))
        migrate(database)
    return file.read_bytes()


@pytest.fixture
def served(served_file: bytes, tmp_path: Path, database: Database) -> Database:
    (tmp_path / "descent.db").write_bytes(served_file)
    return database


def test_models_of_before_serve_the_latest_and_go_on_counting(served: Database) -> None:
    for model, latest in (("m", 3), ("untrained", 0)):
        with served.reading() as session:
            record = records.find(session, model)
            assert (record.serving, record.served, record.next_version) == ("latest", latest, latest + 1)
            listed = records.versions(session, model, 10, None)
            assert [each.number for each in listed] == [*reversed(range(latest + 1))]
            assert {(each.serve, each.refused) for each in listed} == {("always", False)}
        with served.transaction() as session:
            assert records.add_version(session, model, b"", None) == latest + 1
        with served.reading() as session:
            assert records.find(session, model).served == latest + 1


def test_jobs_of_before_hold_their_version_until_they_end(served: Database) -> None:
    with pytest.raises(Conflict, match="begins from version 2"):
        operations.delete_version(served, "m", 2)
    with served.transaction() as session:
        queue.end(session, records_of_jobs.find(session, "waits"), State.CANCELLED)
    operations.delete_version(served, "m", 2)
    with served.reading() as session:
        assert set(session.scalars(text("SELECT serve FROM jobs"))) == {"always"}


def test_evaluations_of_before_go_with_their_version(served: Database) -> None:
    with served.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM evaluations")) == 1
    operations.delete_version(served, "m", 1)
    with served.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM evaluations")) == 0


def test_a_database_of_served_versions_goes_back_with_all_its_rows(served: Database) -> None:
    downgrade(served, "0006")
    with served.reading() as session:
        found = [
            session.execute(text("SELECT name FROM models ORDER BY id")).scalars().all(),
            session.execute(text("SELECT number FROM versions WHERE model_id = 'm' ORDER BY number")).scalars().all(),
            session.execute(text("SELECT id, held_model_id FROM jobs ORDER BY id")).all(),
            session.execute(text("SELECT id FROM evaluations")).scalars().all(),
        ]
    assert found == [["m", "untrained"], [0, 1, 2, 3], [("ended", None), ("waits", "m")], ["ev"]]


def test_indexes_of_a_few_rows_stay_so_when_their_table_is_rebuilt(present: Database) -> None:
    with present.reading() as session:
        indexes = session.scalars(text("SELECT sql FROM sqlite_master WHERE name LIKE 'ix_jobs_held%'")).all()
    assert len(indexes) == 2
    assert all("IS NOT NULL" in index for index in indexes)


def test_every_constraint_has_a_name(present: Database) -> None:
    inspector = inspect(present.engine)
    for table in tables(present):
        constraints = (
            inspector.get_pk_constraint(table),
            *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table),
        )
        assert all(constraint["name"] for constraint in constraints), table


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(present: Database) -> None:
    """SQLite changes a column by copying its table; with foreign keys on, dropping the old one takes versions along."""
    blueprint = blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), blueprints.Largest(10))
    with present.transaction() as session:
        id = operations.create(session, "kept", blueprint).id
    with present.rebuilding() as connection:
        migration = Operations(MigrationContext.configure(connection))
        with migration.batch_alter_table("models", recreate="always") as table:
            table.alter_column("name", type_=String(200))
    with present.reading() as session:
        assert records.find(session, "kept").versions == 1
        assert records.version(session, id, 0).number == 0


def test_a_migration_that_breaks_references_is_rolled_back(present: Database) -> None:
    blueprint = blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), blueprints.Largest(10))
    with present.transaction() as session:
        operations.create(session, "kept", blueprint)
    with pytest.raises(IntegrityError), present.rebuilding() as connection:
        connection.execute(text("DELETE FROM models"))
    with present.reading() as session:
        assert records.find(session, "kept").versions == 1
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
