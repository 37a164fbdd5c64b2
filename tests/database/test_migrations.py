"""Migrations go up, down and up again, and lose no rows."""

from collections.abc import Iterator
from pathlib import Path

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
from service.jobs import records as jobs
from service.jobs.reports.packing import reports_of
from service.models import blueprints, operations, records
from service.models.schemas import NewModel


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    yield database
    database.close()


def downgrade(database: Database, revision: str) -> None:
    config = configuration()
    with database.rebuilding() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_up_down_and_up_again_leave_the_tables_of_the_records(database: Database) -> None:
    migrate(database)
    assert tables(database) == set(Record.metadata.tables)
    downgrade(database, "base")
    assert tables(database) == set()
    migrate(database)
    assert tables(database) == set(Record.metadata.tables)


def test_the_migrations_make_every_column_and_index_of_the_records(database: Database) -> None:
    migrate(database)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Record.metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.transaction() as session:
        id = operations.create(
            session,
            "kept",
            blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), 10),
        ).id
    migrate(database)
    with database.reading() as session:
        assert records.find(session, "kept").id == id


def test_each_migration_goes_down_to_the_one_before_and_up_again(database: Database) -> None:
    script = ScriptDirectory.from_config(configuration())
    revisions = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    for revision in revisions:
        migrate(database, revision)
    for revision in [*reversed(revisions[:-1]), "base"]:
        downgrade(database, revision)
    for revision in revisions:
        migrate(database, revision)


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
            jobs.add_reports(session, "job", reports_of([report]))
    for _ in range(2):
        with database.reading() as session:
            found = jobs.reports(session, "job", 0, 10).to_json()
        assert [tuple(each.values()) for each in found] == reports
        downgrade(database, "0004")
        with database.reading() as session:
            rows = session.execute(text("SELECT * FROM epochs ORDER BY epoch")).all()
        assert [tuple(row)[1:] for row in rows] == reports
        migrate(database)


def test_every_constraint_has_a_name(database: Database) -> None:
    migrate(database)
    inspector = inspect(database.engine)
    for table in tables(database):
        constraints = (
            inspector.get_pk_constraint(table),
            *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table),
        )
        assert all(constraint["name"] for constraint in constraints), table


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(database: Database) -> None:
    """SQLite changes a column by copying its table; with foreign keys on, dropping the old one takes versions along."""
    migrate(database)
    blueprint = blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), 10)
    with database.transaction() as session:
        id = operations.create(session, "kept", blueprint).id
    with database.rebuilding() as connection:
        migration = Operations(MigrationContext.configure(connection))
        with migration.batch_alter_table("models", recreate="always") as table:
            table.alter_column("name", type_=String(200))
    with database.reading() as session:
        assert records.find(session, "kept").versions == 1
        assert records.version(session, id, 0).number == 0


def test_a_migration_that_breaks_references_is_rolled_back(database: Database) -> None:
    migrate(database)
    blueprint = blueprints.blueprint(NewModel.model_validate({"architecture": "Dense(1 => 1)"}), 10)
    with database.transaction() as session:
        operations.create(session, "kept", blueprint)
    with pytest.raises(IntegrityError), database.rebuilding() as connection:
        connection.execute(text("DELETE FROM models"))
    with database.reading() as session:
        assert records.find(session, "kept").versions == 1
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
