"""The command `descent`. Imports what a command needs when it runs: worker processes import this file too."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from service.settings import Settings

log = logging.getLogger(__name__)

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
    from service.startup import preparation
    from service.telemetry import logs

    logs.set_up()
    given = {"host": host, "port": port, "data": data, "scheduler": scheduler, "workers": workers}
    settings = _settings({name: value for name, value in given.items() if value is not None})
    with _refusing(), preparation.prepared(settings) as sockets:
        if settings.scheduler is None:
            from service.engine.fork_server import start_fork_server

            start_fork_server()  # first: it loads what workers need while this process loads the rest
        from service.server import Server

        Server(settings).run(sockets)


@cli.command()
def migrate() -> None:
    """Bring the database to the present schema; `serve` does so by itself."""
    from service.database.database import Database
    from service.database.migrate import migrate as run
    from service.startup import preparation
    from service.startup.reasons import reason_of
    from service.telemetry import logs

    logs.set_up()
    settings = _settings({})
    with _refusing():
        preparation.check(settings)
    database = Database(settings.database_url)
    try:
        run(database)
    except Exception as error:
        if (reason := reason_of(error)) is None:
            raise
        _refuse(reason)
    typer.echo(f"{database.engine.url.render_as_string(hide_password=True)} has the present schema.")


@cli.command()
def demo(
    url: Annotated[str | None, typer.Option(help="a service that is up; without it, one is started")] = None,
) -> None:
    """Walk through the tutorial over HTTP and compare what was learned with what it prints."""
    from service.demo import NoService, run

    try:
        sys.exit(0 if run(url) else 1)
    except NoService as error:
        _refuse(str(error))


def _settings(given: dict[str, Any]) -> "Settings":
    """Return the settings of this environment; end with status 2 where a name or value is impossible."""
    from pydantic import ValidationError

    from service import environment
    from service.settings import Settings

    if (strangers := environment.unknown(os.environ, Settings.model_fields)) != []:
        _refuse(*strangers)
    if (names := environment.ignored(os.environ)) != []:
        log.info("ignored, since Kubernetes makes them for a Service called descent: %s", ", ".join(names))
    try:
        return Settings(**given)
    except ValidationError as error:
        _refuse(*map(_sentence, error.errors()))


def _sentence(fault: "ErrorDetails") -> str:
    """Return the fault of one setting, in the words of its own check where it has one."""
    name = f"DESCENT_{'_'.join(map(str, fault['loc'])).upper()}"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"


@contextmanager
def _refusing() -> Iterator[None]:
    """End with status 2 where the service cannot start."""
    from service.startup.preparation import Refused

    try:
        yield
    except Refused as error:
        _refuse(str(error))


def _refuse(*sentences: str) -> NoReturn:
    """End with status 2; where logs are JSON, what is wrong is a line of them."""
    from service.telemetry import logs

    for sentence in sentences:
        if logs.form_of(os.environ) == "json":
            log.critical(sentence)
        else:
            typer.echo(sentence, err=True)
    sys.exit(2)
