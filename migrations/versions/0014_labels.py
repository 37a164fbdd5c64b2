"""labels of datasets, models and jobs; names that sort by their bytes"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

NOUNS = ("datasets", "models", "jobs")


def upgrade() -> None:
    for noun in NOUNS:
        op.add_column(noun, sa.Column("labels", sa.JSON(none_as_null=True), server_default="{}", nullable=False))
        table = f"{noun}_labels"
        op.create_table(
            table,
            sa.Column("id", sa.String(), nullable=False),
            sa.Column("key", sa.String(), nullable=False),
            sa.Column("value", sa.String(), nullable=False),
            sa.ForeignKeyConstraint(["id"], [f"{noun}.id"], name=op.f(f"fk_{table}_id_{noun}"), ondelete="CASCADE"),
            sa.PrimaryKeyConstraint("id", "key", name=op.f(f"pk_{table}")),
        )
        op.create_index(op.f(f"ix_{table}_key_value_id"), table, ["key", "value", "id"])
    _sort_names_by("C")


def downgrade() -> None:
    _sort_names_by("default")
    for noun in NOUNS:
        op.drop_table(f"{noun}_labels")
        op.drop_column(noun, "labels")


def _sort_names_by(collation: str) -> None:
    """Let names sort in this way: SQLite sorts all texts by their bytes anyway."""
    if op.get_bind().dialect.name == "postgresql":
        for noun in ("datasets", "models"):
            op.alter_column(noun, "name", type_=sa.String(collation=collation), existing_type=sa.String())
