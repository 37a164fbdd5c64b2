"""losses of workers since a checkpoint that advanced"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JOBS = sa.table("jobs", sa.column("losses_of_worker"), sa.column("losses_since_checkpoint"))


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("losses_since_checkpoint", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("ends_of_workers", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("peak_memory", sa.BigInteger(), nullable=True))
    op.execute(JOBS.update().values(losses_since_checkpoint=JOBS.c.losses_of_worker))


def downgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("peak_memory")
        batch_op.drop_column("ends_of_workers")
        batch_op.drop_column("losses_since_checkpoint")
