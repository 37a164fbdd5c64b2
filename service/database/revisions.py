"""The steps from one table layout to the next, as files."""

from pathlib import Path

MIGRATIONS = Path(__file__).parents[2] / "migrations"
"""The migrations' folder beside the package, in a checkout, an image and an installed wheel alike."""


def revisions() -> list[str]:
    """Return the schemas that this version of the service knows, oldest first."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
