"""owners of datasets, models, jobs and kept answers; names that are unique for an owner; shared things"""

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NAMED = ("datasets", "models")
OWNER = "default"
# SQLite reads through a row to a column behind a large one: every prediction asks for these of its model
FIRST: list[tuple[str, ...]] = [("id", "name", "owner", "shared", "served")]


def upgrade() -> None:
    # only SQLite cares for the order of columns, and copies a table to which others refer
    copied: Literal["always", "auto"] = "always" if op.get_bind().dialect.name == "sqlite" else "auto"
    for noun in NAMED:
        order = FIRST if noun == "models" else []
        with op.batch_alter_table(noun, recreate=copied, partial_reordering=order) as batch_op:
            batch_op.add_column(_owner())
            batch_op.add_column(sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False))
            batch_op.drop_constraint(batch_op.f(f"uq_{noun}_name"), type_="unique")
            batch_op.create_unique_constraint(batch_op.f(f"uq_{noun}_owner_name"), ["owner", "name"])
    op.add_column("jobs", _owner())
    for noun in (*NAMED, "jobs"):
        op.create_index(op.f(f"ix_{noun}_owner_id"), noun, ["owner", "id"])
    with op.batch_alter_table("answers", recreate=copied) as batch_op:
        batch_op.add_column(_owner())
        batch_op.drop_constraint(batch_op.f("pk_answers"), type_="primary")
        batch_op.create_primary_key(batch_op.f("pk_answers"), ["owner", "key"])


def downgrade() -> None:
    with op.batch_alter_table("answers") as batch_op:
        batch_op.drop_constraint(batch_op.f("pk_answers"), type_="primary")
        batch_op.drop_column("owner")
        batch_op.create_primary_key(batch_op.f("pk_answers"), ["key"])
    for noun in (*NAMED, "jobs"):
        op.drop_index(op.f(f"ix_{noun}_owner_id"), noun)
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_column("owner")
    for noun in NAMED:
        with op.batch_alter_table(noun) as batch_op:
            batch_op.drop_constraint(batch_op.f(f"uq_{noun}_owner_name"), type_="unique")
            batch_op.create_unique_constraint(batch_op.f(f"uq_{noun}_name"), ["name"])
            batch_op.drop_column("shared")
            batch_op.drop_column("owner")


def _owner() -> sa.Column[str]:
    sorted_by_bytes = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    return sa.Column("owner", sorted_by_bytes, server_default=OWNER, nullable=False)
