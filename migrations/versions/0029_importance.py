"""the importance of columns, and how far levels and probabilities come true, of evaluations"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ADDED = ("importance", "sureness")


def upgrade() -> None:
    for name in ADDED:
        op.add_column("evaluations", sa.Column(name, sa.JSON(), nullable=True))


def downgrade() -> None:
    for name in reversed(ADDED):
        op.drop_column("evaluations", name)
