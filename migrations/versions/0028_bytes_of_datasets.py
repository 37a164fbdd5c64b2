"""bytes of datasets, which owners may have so many of"""

import json

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BYTES_OF_A_NUMBER = 8
"""Those of a row's number in the data."""


def upgrade() -> None:
    """Count what the arrays of each dataset take; sums that were kept beside them are not."""
    op.add_column("datasets", sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False))
    names = ("id", "features", "targets", "train_rows", "validation_rows", "test_rows", "dtype", "bytes")
    datasets = sa.table("datasets", *(sa.column(name) for name in names))
    connection = op.get_bind()
    for row in connection.execute(sa.select(datasets)).all():
        columns = _count(row.features) + _count(row.targets)
        rows = row.train_rows + row.validation_rows + row.test_rows
        bytes = rows * (columns * np.dtype(row.dtype).itemsize + BYTES_OF_A_NUMBER)
        connection.execute(sa.update(datasets).where(datasets.c.id == row.id).values(bytes=bytes))


def _count(kept: str | list[object]) -> int:
    """Return the number of columns of a list; each is one number a row, also of categories."""
    return len(json.loads(kept) if isinstance(kept, str) else kept)


def downgrade() -> None:
    op.drop_column("datasets", "bytes")
