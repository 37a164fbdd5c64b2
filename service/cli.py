"""The command `descent`. Imports what a command needs when it runs: worker processes import this file too."""

import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from service.settings import Settings

cli = typer.Typer(
    help="Train and serve Dense networks over HTTP.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
    from service.server import Server

    given = {"host": host, "port": port, "data": data, "scheduler": scheduler, "workers": workers}
    Server(_settings({name: value for name, value in given.items() if value is not None})).run()


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema; `serve` does so by itself."""
    from service.database.engine import Database
    from service.database.migrate import migrate as run

    settings = _settings({})
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    run(database)
    typer.echo(f"{database.engine.url.render_as_string(hide_password=True)} has the present schema.")


@cli.command()
def demo(
    url: Annotated[str | None, typer.Option(help="a service that is up; without it, one is started")] = None,
) -> None:
    """Walk through the tutorial over HTTP and compare what was learned with what it prints."""
    from service.demo import run

    sys.exit(0 if run(url) else 1)


def _settings(given: dict[str, Any]) -> "Settings":
    from pydantic import ValidationError

    from service.settings import Settings

    try:
        return Settings(**given)
    except ValidationError as error:
        for fault in error.errors():
            typer.echo(f"DESCENT_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}", err=True)
        sys.exit(2)
