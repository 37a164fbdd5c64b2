"""reports packed in blocks; those of before stay rows of epochs"""

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = ("train_loss", "validation_loss", "rate", "gradient_norm", "seconds")
KINDS = {0: ("<f8", None), 1: ("<f8", 1), 2: ("<f4", 0), 3: ("<f8", 0)}
"""By a column's code, what its numbers are and how many of them there are: none, one, or (0) one a report."""

EPOCHS = sa.table("epochs", sa.column("job_id"), sa.column("epoch"), *map(sa.column, COLUMNS))
BLOCKS = sa.table(
    "reports", sa.column("job_id"), sa.column("epoch"), sa.column("length"), sa.column("columns", sa.LargeBinary)
)


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("job_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("columns", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_reports_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "epoch", name=op.f("pk_reports")),
    )


def downgrade() -> None:
    connection = op.get_bind()
    keys = connection.execute(sa.select(BLOCKS.c.job_id, BLOCKS.c.epoch)).all()
    for job, epoch in keys:
        block = BLOCKS.c.job_id == job, BLOCKS.c.epoch == epoch
        count, packed = connection.execute(sa.select(BLOCKS.c.length, BLOCKS.c.columns).where(*block)).one()
        columns = [list(range(epoch, epoch + count)), *unpacked(packed, count)]
        names = ("epoch", *COLUMNS)
        rows = [{"job_id": job, **dict(zip(names, row, strict=True))} for row in zip(*columns, strict=True)]
        connection.execute(EPOCHS.insert(), rows)
    op.drop_table("reports")


def unpacked(packed: bytes, count: int) -> list[list[float | None]]:
    columns: list[list[float | None]] = []
    place = len(COLUMNS)
    for code in packed[: len(COLUMNS)]:
        kind, numbers = KINDS[code]
        if numbers is None:
            columns.append([None] * count)
            continue
        values = np.frombuffer(packed, kind, numbers or count, place)
        place += values.nbytes
        wide = np.broadcast_to(values.astype("<f8"), count)
        columns.append([None if np.isnan(value) else value for value in wide.tolist()])
    return columns
