"""submitters of jobs, their turns, and indexes of the jobs that wait"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'queued'")
INDEXES = {
    "ix_jobs_waiting_by_age": ["state", "priority", "id"],
    "ix_jobs_waiting_by_turn": ["state", "priority", "turn", "id"],
    "ix_jobs_waiting_of_submitter": ["submitter", "priority", "turn"],
}


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("submitter", sa.String(), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False))
    for name, columns in INDEXES.items():
        op.create_index(name, "jobs", columns, sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "jobs")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("turn")
        batch_op.drop_column("submitter")
