"""jobs that give their worker to short ones for a while"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SHORT = sa.text("state = 'queued' AND planned_seconds < 1")
YIELDED = sa.text("yielded_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("planned_seconds", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("to_yield", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("yielded_at", sa.DateTime(), nullable=True))
        batch_op.add_column(sa.Column("yielded_seconds", sa.Double(), server_default="0", nullable=False))
    columns = ["state", "priority", "id"]
    op.create_index("ix_jobs_waiting_short", "jobs", columns, sqlite_where=SHORT, postgresql_where=SHORT)
    op.create_index("ix_jobs_yielded_at", "jobs", ["yielded_at"], sqlite_where=YIELDED, postgresql_where=YIELDED)


def downgrade() -> None:
    op.drop_index("ix_jobs_yielded_at", "jobs")
    op.drop_index("ix_jobs_waiting_short", "jobs")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        for name in ("yielded_seconds", "yielded_at", "to_yield", "planned_seconds"):
            batch_op.drop_column(name)
