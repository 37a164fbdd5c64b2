"""The command `descent doctor`."""

import sys
from typing import Annotated

import typer

from service.commands.checks import settings_of


def doctor(data: Annotated[str | None, typer.Option(help="DESCENT_DATA, ./data by default")] = None) -> None:
    """Look for what keeps a service from working, and tell what helps; ends with status 1 where something is wrong."""
    from service.startup.doctor import examine
    from service.telemetry import logs

    logs.set_up()
    findings = []
    for finding in examine(settings_of({} if data is None else {"data": data})):
        findings.append(finding)
        typer.echo(f"{'well ' if finding.is_well else 'WRONG'}  {finding.sentence}")
    sys.exit(0 if all(finding.is_well for finding in findings) else 1)
