"""advice of datasets, and columns that were left out"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ignored", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("advice", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("advice")
        batch_op.drop_column("ignored")
