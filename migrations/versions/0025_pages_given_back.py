"""free pages go back to the disk (auto_vacuum)"""

revision = "0025"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing in this transaction: `service.database.upgrade` has rebuilt an SQLite file before it."""


def downgrade() -> None:
    """Nothing: earlier versions work with such a file, too."""
