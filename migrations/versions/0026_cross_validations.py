"""cross-validations and their folds"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sorted_by_bytes = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "cross_validations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sorted_by_bytes, server_default="default", nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("folds", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("advice", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cross_validations"),
    )
    op.create_index("ix_cross_validations_owner_id", "cross_validations", ["owner", "id"])
    whole = "fk_folds_cross_validation_id_cross_validations"
    op.create_table(
        "folds",
        sa.Column("cross_validation_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["cross_validation_id"], ["cross_validations.id"], name=whole, ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cross_validation_id", "number", name="pk_folds"),
        sa.UniqueConstraint("job_id", name="uq_folds_job_id"),
    )


def downgrade() -> None:
    op.drop_table("folds")
    op.drop_table("cross_validations")
