"""Versions of earlier databases, which get from their jobs what they need when these are deleted."""

from pathlib import Path

from sqlalchemy import text

from service.database.database import Database
from service.database.migrate import migrate
from service.models import records


def test_versions_whose_signature_knows_no_loss_get_that_of_their_job(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'descent.db'}")
    signatures = [(1, None), (2, '{"loss": null}'), (3, '{"loss": "mae"}')]
    migrate(database, "0010")
    with database.rebuilding() as connection:
        connection.execute(
            text(
                "INSERT INTO models (id, name, architecture, dtype, parameter_count, seeded, created_at) VALUES "
                "('m', 'm', 'Dense(1 => 1)', 'float32', 2, true, '2026-01-01')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO jobs (id, model_id, dataset_id, recipe, plan, advice, state, attempt, losses_of_worker, "
                "progress, epochs_done, created_at) VALUES ('job', 'm', 'd', "
                """'{"loss": "mae", "sample_weights": "w"}', '{}', '[]', 'succeeded', 1, 0, 1, 1, '2026-01-01')"""
            )
        )
        insert = (
            "INSERT INTO versions (model_id, number, job_id, signature, parameters, created_at) VALUES "
            "('m', :number, 'job', :signature, '', '2026-01-01')"
        )
        for number, signature in signatures:
            connection.execute(text(insert), {"number": number, "signature": signature})
    migrate(database)
    with database.reading() as session:
        found = [records.trained_with(session, "m", number) for number, _ in signatures]
    assert found == [{"loss": "mae", "weights": "w"}] * 2 + [None]
    database.close()
