"""columns of many kinds, kept epochs, receipts"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "points",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_points_model_id_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "epoch", name=op.f("pk_points")),
    )
    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_points_model_id"), ["model_id"], unique=False)

    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("missing", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("split_column", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("state", sa.String(), server_default="ready", nullable=False))
        batch_op.add_column(sa.Column("progress", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("beat", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column("sha256", existing_type=sa.VARCHAR(), nullable=True)

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("epoch", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("residuals", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("receipt", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("verifies", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("verification", sa.JSON(none_as_null=True), nullable=True))

    with op.batch_alter_table("last_parameters", schema=None) as batch_op:
        batch_op.add_column(sa.Column("signature", sa.JSON(none_as_null=True), nullable=True))

    # SQLite reads through a row to a column behind a large one: the parameters come last, so that lists need not
    order = ("model_id", "number", "job_id", "signature", "created_at", "parameters")
    with op.batch_alter_table("versions", recreate="always", partial_reordering=[order]) as batch_op:
        batch_op.add_column(sa.Column("signature", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("versions", schema=None) as batch_op:
        batch_op.drop_column("signature")

    with op.batch_alter_table("last_parameters", schema=None) as batch_op:
        batch_op.drop_column("signature")

    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("verification")
        batch_op.drop_column("verifies")
        batch_op.drop_column("receipt")

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_column("residuals")
        batch_op.drop_column("epoch")

    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.alter_column("sha256", existing_type=sa.VARCHAR(), nullable=False)
        batch_op.drop_column("beat")
        batch_op.drop_column("progress")
        batch_op.drop_column("state")
        batch_op.drop_column("split_column")
        batch_op.drop_column("missing")

    with op.batch_alter_table("points", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_points_model_id"))

    op.drop_table("points")
