"""The command `descent`. Imports what a command needs when it runs: worker processes import this file too."""

import logging
import os
import signal
import sys
from typing import Annotated

import typer

from service.commands.backup import backup, restore
from service.commands.checks import migrated, refuse, refusing, settings_of
from service.commands.doctor import doctor
from service.commands.keys import keys
from service.commands.owners import owners
from service.commands.retention import retention

log = logging.getLogger(__name__)

cli = typer.Typer(
    help="Train and serve Dense networks over HTTP.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


cli.add_typer(keys, name="keys")
cli.add_typer(owners, name="owners")
cli.command()(backup)
cli.command()(restore)
cli.command()(retention)
cli.command()(doctor)


def main() -> None:
    cli()


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="DESCENT_HOST, 127.0.0.1 by default")] = None,
    port: Annotated[int | None, typer.Option(help="DESCENT_PORT, 8000 by default; 0 takes a free one")] = None,
    data: Annotated[str | None, typer.Option(help="DESCENT_DATA, ./data by default")] = None,
    scheduler: Annotated[str | None, typer.Option(help="DESCENT_SCHEDULER: a Dask scheduler elsewhere")] = None,
    workers: Annotated[int | None, typer.Option(help="DESCENT_WORKERS: embedded worker processes")] = None,
) -> None:
    """Serve until stopped. Options go before environment variables."""
    # The first process of a container gets no default action for this signal, and the imports below take a second.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from service.startup import preparation, traces
    from service.telemetry import logs

    logs.set_up()
    if missing := traces.leave_out_unknown_propagators(os.environ):
        log.warning("%s: %s is not installed, and left out", traces.PROPAGATORS, ", ".join(missing))
    given = {"host": host, "port": port, "data": data, "scheduler": scheduler, "workers": workers}
    settings = settings_of({name: value for name, value in given.items() if value is not None})
    with refusing(), preparation.prepared(settings) as sockets:
        if settings.scheduler is None:
            from service.engine.fork_server import start_fork_server

            start_fork_server()  # first: it loads what workers need while this process loads the rest
        from service.server import Server

        Server(settings).run(sockets)


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema; `serve` does so by itself."""
    from service.telemetry import logs

    logs.set_up()
    with migrated(settings_of({})) as database:
        typer.echo(f"{database.engine.url.render_as_string(hide_password=True)} has the present schema.")


@cli.command()
def demo(
    url: Annotated[str | None, typer.Option(help="a service that is up; without it, one is started")] = None,
    key: Annotated[
        str | None, typer.Option(help="a key of that service, of the scope train", envvar="DEMO_KEY", show_envvar=True)
    ] = None,
) -> None:
    """Walk through the tutorial over HTTP and compare what was learned with what it prints."""
    from service.demo import NoService, run

    try:
        sys.exit(0 if run(url, key) else 1)
    except NoService as error:
        refuse(str(error))
