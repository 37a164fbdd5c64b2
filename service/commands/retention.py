"""The command `descent retention`."""

from typing import Annotated

import typer

from service.commands.checks import migrated, refuse, settings_of


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell what would go")] = False,
    data: Annotated[str | None, typer.Option(help="DESCENT_DATA, ./data by default")] = None,
) -> None:
    """Take away what is older than its DESCENT_KEEP_...; `serve` does so by itself, every hour at least."""
    from service.retention import operations
    from service.telemetry import logs

    logs.set_up()
    settings = settings_of({} if data is None else {"data": data})
    periods = operations.periods(settings)
    if not periods:
        refuse("Nothing goes: no period is set. DESCENT_KEEP_JOBS=90d is one; docs/operating.md lists all.")
    with migrated(settings) as database:
        counts = operations.plan(settings, database) if dry_run else operations.apply(settings, database)
    for name, period in periods.items():
        typer.echo(f"DESCENT_{name.upper()}={period}")
    for what, count in counts.items():
        typer.echo(f"{count:8,} {what} {'would go' if dry_run else 'went'}")
