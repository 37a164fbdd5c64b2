"""rows of a dataset that tell how sure predictions are"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("calibration_rows", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("datasets", "calibration_rows")
