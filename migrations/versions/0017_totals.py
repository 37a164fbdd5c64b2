"""totals, which deletions do not reduce"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

KNOWN = {
    "created": "SELECT count(*) FROM jobs",
    "succeeded": "SELECT count(*) FROM jobs WHERE state = 'succeeded'",
    "failed": "SELECT count(*) FROM jobs WHERE state = 'failed'",
    "cancelled": "SELECT count(*) FROM jobs WHERE state = 'cancelled'",
    "epochs": "SELECT coalesce(sum(epochs_done), 0) FROM jobs",
    "workers_lost": "SELECT coalesce(sum(losses_of_worker), 0) FROM jobs",
}
"""The totals as far as the rows that are there tell them: the rows that trainings read are not known any more."""


def upgrade() -> None:
    totals = op.create_table(
        "totals",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_totals")),
    )
    connection = op.get_bind()
    values = {name: connection.scalar(sa.text(query)) for name, query in KNOWN.items()}
    op.bulk_insert(totals, [{"name": name, "value": value} for name, value in values.items()])


def downgrade() -> None:
    op.drop_table("totals")
