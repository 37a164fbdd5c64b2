"""served versions, numbers that are given once, versions that jobs hold"""

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MODELS = sa.table("models", sa.column("id"), sa.column("next_version"), sa.column("served"))
VERSIONS = sa.table("versions", sa.column("model_id"), sa.column("number"))
JOBS = sa.table("jobs", sa.column("recipe", sa.JSON), sa.column("held_model_id"), sa.column("held_version"))


def upgrade() -> None:
    # only SQLite cares for the order of columns, and copies a table to which others refer
    copied: Literal["always", "auto"] = "always" if op.get_bind().dialect.name == "sqlite" else "auto"
    # SQLite reads through a row to a column behind a large one: every prediction asks for `served`
    order: list[tuple[str, ...]] = [("id", "name", "served", "pinned", "next_version", "architecture")]
    with op.batch_alter_table("models", recreate=copied, partial_reordering=order) as batch_op:
        batch_op.add_column(sa.Column("next_version", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("served", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False))
    newest = sa.select(sa.func.max(VERSIONS.c.number)).where(VERSIONS.c.model_id == MODELS.c.id).scalar_subquery()
    found = {"next_version": sa.func.coalesce(newest + 1, 0), "served": sa.func.coalesce(newest, 0)}
    op.execute(MODELS.update().values(found))

    # likewise the parameters come last, so that lists need not read through them
    order = [("model_id", "number", "job_id", "signature", "serve", "refused", "created_at", "parameters")]
    with op.batch_alter_table("versions", recreate=copied, partial_reordering=order) as batch_op:
        batch_op.add_column(sa.Column("serve", sa.String(), server_default="always", nullable=False))
        batch_op.add_column(sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_evaluations_model_id_models"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_evaluations_model_id_version_versions"),
            "versions",
            ["model_id", "version"],
            ["model_id", "number"],
            ondelete="CASCADE",
        )

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_version", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_jobs_held_model_id_held_version_versions"),
            "versions",
            ["held_model_id", "held_version"],
            ["model_id", "number"],
        )
    begun_from = JOBS.c.recipe["from_version"].as_integer()
    op.execute(JOBS.update().where(JOBS.c.held_model_id.is_not(None)).values(held_version=begun_from))


def downgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_jobs_held_model_id_held_version_versions"), type_="foreignkey")
        batch_op.drop_column("held_version")

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_evaluations_model_id_version_versions"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_evaluations_model_id_models"), "models", ["model_id"], ["id"], ondelete="CASCADE"
        )

    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_column("refused")
        batch_op.drop_column("serve")

    with op.batch_alter_table("models", schema=None) as batch_op:
        batch_op.drop_column("pinned")
        batch_op.drop_column("served")
        batch_op.drop_column("next_version")
