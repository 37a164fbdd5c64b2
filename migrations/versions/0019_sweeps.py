"""sweeps and their trials; jobs that are parts of greater wholes"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

OF_SWEEP, OF_FOLDS = sa.text("sweep IS NOT NULL"), sa.text("cross_validation IS NOT NULL")
UNENDED = sa.text("state IN ('running', 'paused')")


def upgrade() -> None:
    for name, kind in (("sweep", sa.String()), ("cross_validation", sa.String()), ("rest_after", sa.Integer())):
        op.add_column("jobs", sa.Column(name, kind, nullable=True))
    op.add_column("models", sa.Column("sweep", sa.String(), nullable=True))
    op.create_index("ix_jobs_sweep", "jobs", ["sweep", "id"], sqlite_where=OF_SWEEP, postgresql_where=OF_SWEEP)
    columns = ["cross_validation", "id"]
    op.create_index("ix_jobs_cross_validation", "jobs", columns, sqlite_where=OF_FOLDS, postgresql_where=OF_FOLDS)
    op.create_index("ix_models_sweep", "models", ["sweep"])
    sorted_by_bytes = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "sweeps",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sorted_by_bytes, nullable=False),
        sa.Column("owner", sorted_by_bytes, server_default="default", nullable=False),
        sa.Column("model_id", sa.String(), nullable=True),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("vary", sa.JSON(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("monitor", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("rungs", sa.JSON(), nullable=False),
        sa.Column("trials", sa.Integer(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("advice", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_stopping", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("best_job", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sweeps"),
        sa.UniqueConstraint("owner", "name", name="uq_sweeps_owner_name"),
    )
    op.create_index("ix_sweeps_owner_id", "sweeps", ["owner", "id"])
    op.create_index("ix_sweeps_unended", "sweeps", ["state"], sqlite_where=UNENDED, postgresql_where=UNENDED)
    op.create_table(
        "trials",
        sa.Column("sweep_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("varied", sa.JSON(), nullable=False),
        sa.Column("losses", sa.JSON(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name="fk_trials_sweep_id_sweeps", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sweep_id", "number", name="pk_trials"),
        sa.UniqueConstraint("job_id", name="uq_trials_job_id"),
    )


def downgrade() -> None:
    op.drop_table("trials")
    op.drop_table("sweeps")
    op.drop_index("ix_models_sweep", "models")
    op.drop_index("ix_jobs_cross_validation", "jobs")
    op.drop_index("ix_jobs_sweep", "jobs")
    op.drop_column("models", "sweep")
    for name in ("rest_after", "cross_validation", "sweep"):
        op.drop_column("jobs", name)
