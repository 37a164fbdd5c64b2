"""The checks that all commands begin with: a command that cannot work ends with status 2 and one sentence."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from service.database.database import Database
    from service.settings import Settings

log = logging.getLogger(__name__)


def settings_of(options: dict[str, Any]) -> "Settings":
    """Return the settings of this environment; end with status 2 where a name or value is impossible."""
    from pydantic import ValidationError

    from service import environment
    from service.settings import Settings

    if (strangers := environment.unknown(os.environ, Settings.model_fields)) != []:
        refuse(*strangers)
    if (names := environment.ignored(os.environ)) != []:
        log.info("ignored, since Kubernetes makes them for a Service called descent: %s", ", ".join(names))
    try:
        return Settings(**options)
    except ValidationError as error:
        refuse(*map(_sentence, error.errors()))


def _sentence(fault: "ErrorDetails") -> str:
    """Return the fault of one setting, in the words of its own check where it has one."""
    name = f"DESCENT_{'_'.join(map(str, fault['loc'])).upper()}"
    return f"{name}: {words_of(fault)}"


def words_of(fault: "ErrorDetails") -> str:
    """Return what is wrong with a value, as its own check says it where it has one."""
    return fault["msg"].removeprefix("Value error, ")


@contextmanager
def migrated(settings: "Settings") -> Iterator["Database"]:
    """The database of these settings at the present schema; a service may be using it."""
    from service.database.database import Database
    from service.database.migrate import migrate
    from service.errors import DescentError
    from service.startup import preparation
    from service.startup.reasons import reason_of

    with refusing():
        preparation.check(settings)
    database = Database(settings.database_url)
    try:
        try:
            migrate(database)
        except Exception as error:
            if (reason := reason_of(error)) is None:
                raise
            refuse(reason)
        try:
            yield database
        except DescentError as error:
            refuse(error.detail)
    finally:
        database.close()


@contextmanager
def refusing() -> Iterator[None]:
    """End with status 2 where the service cannot start."""
    from service.startup.preparation import Refused

    try:
        yield
    except Refused as error:
        refuse(str(error))


def refuse(*sentences: str) -> NoReturn:
    """End with status 2; where logs are JSON, what is wrong is a line of them."""
    from service.telemetry import logs

    for sentence in sentences:
        if logs.form_of(os.environ) == "json":
            log.critical(sentence)
        else:
            typer.echo(sentence, err=True)
    sys.exit(2)
