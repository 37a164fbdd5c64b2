"""The commands `descent backup` and `descent restore`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.checks import refusing, settings_of

if TYPE_CHECKING:
    from service.backup.archive import Manifest

DATA = typer.Option(help="DESCENT_DATA, ./data by default")


def backup(
    file: Annotated[Path, typer.Argument(help="the archive to make, such as descent.tar")],
    data: Annotated[str | None, DATA] = None,
) -> None:
    """Copy database and datasets to one file, as they are at one moment; the service may go on meanwhile."""
    from service.backup.making import back_up
    from service.telemetry import logs

    logs.set_up()
    with refusing():
        manifest = back_up(settings_of({} if data is None else {"data": data}), file.absolute())
    typer.echo(f"{file} holds {_contents(manifest)}. `descent restore --check {file}` reads it again.")


def restore(
    file: Annotated[Path, typer.Argument(help="an archive that `descent backup` made")],
    check: Annotated[bool, typer.Option("--check", help="only prove that the archive is whole")] = False,
    data: Annotated[str | None, DATA] = None,
) -> None:
    """Fill an empty data folder from an archive, once every sum in it was found right; jobs that ran wait again."""
    from service.backup import restoring
    from service.telemetry import logs

    logs.set_up()
    with refusing():
        if check:
            typer.echo(f"{file} is whole: {_contents(restoring.check(file))}.")
            return
        settings = settings_of({} if data is None else {"data": data})
        manifest, jobs = restoring.restore(settings, file)
    waiting = f" {len(jobs)} jobs that ran wait again." if jobs else ""
    typer.echo(f"{settings.data} has what {file} held: {_contents(manifest)}.{waiting}")


def _contents(manifest: "Manifest") -> str:
    counts = ", ".join(f"{count} {noun}" for noun, count in manifest.counts.items())
    size = sum(file.bytes for file in manifest.files.values()) / 1e6
    return f"{counts} ({size:,.1f} MB, schema {manifest.schema}, made {manifest.created_at})"
