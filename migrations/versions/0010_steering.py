"""jobs that are steered: wished changes, priorities, limits, seconds of workers"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pending", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("priority", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("max_seconds", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("max_attempts", sa.Integer(), server_default="5", nullable=False))
        batch_op.add_column(sa.Column("seconds", sa.Double(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("seconds")
        batch_op.drop_column("max_attempts")
        batch_op.drop_column("max_seconds")
        batch_op.drop_column("priority")
        batch_op.drop_column("pending")
