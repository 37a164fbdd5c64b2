"""what versions need of their jobs, which can be deleted"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_jobs = sa.table("jobs", sa.column("id"), sa.column("recipe", sa.JSON))
_versions = sa.table(
    "versions",
    sa.column("model_id"),
    sa.column("number"),
    sa.column("job_id"),
    sa.column("signature", sa.JSON),
    sa.column("trained_with", sa.JSON),
)


def upgrade() -> None:
    op.add_column("versions", sa.Column("trained_with", sa.JSON(none_as_null=True), nullable=True))
    _write_down_losses(op.get_bind())


def downgrade() -> None:
    op.drop_column("versions", "trained_with")


def _write_down_losses(connection: sa.Connection) -> None:
    """Copy loss and weights to the versions whose signature does not know them, from their jobs."""
    columns = _versions.c.model_id, _versions.c.number, _versions.c.signature, _jobs.c.recipe
    joined = _versions.join(_jobs, _jobs.c.id == _versions.c.job_id)
    for model, number, signature, recipe in connection.execute(sa.select(*columns).select_from(joined)).all():
        if (signature or {}).get("loss") is None:
            trained_with = {"loss": recipe.get("loss"), "weights": recipe.get("sample_weights")}
            version = _versions.c.model_id == model, _versions.c.number == number
            connection.execute(sa.update(_versions).where(*version).values(trained_with=trained_with))
