"""the span of the request that sent a job"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("trace", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "trace")
