"""which loss is the best one"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

JOBS = sa.table(
    "jobs", sa.column("id"), sa.column("recipe", sa.JSON), sa.column("best_epoch"), sa.column("best_of", sa.String)
)
EPOCHS = sa.table("epochs", sa.column("job_id"), sa.column("epoch"), sa.column("validation_loss"))


def upgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("best_of", sa.String(), nullable=True))

    # the best epoch has a finite loss of validation, not null, wherever that decided
    at_best = (EPOCHS.c.job_id == JOBS.c.id, EPOCHS.c.epoch == JOBS.c.best_epoch, EPOCHS.c.validation_loss.is_not(None))
    by_part = sa.case((sa.exists().where(*at_best), "validation_loss"), else_="train_loss")
    monitor = JOBS.c.recipe["early_stopping"]["monitor"].as_string()
    op.execute(JOBS.update().where(JOBS.c.best_epoch.is_not(None)).values(best_of=sa.func.coalesce(monitor, by_part)))


def downgrade() -> None:
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("best_of")
