"""`descent owners`: move datasets, models and jobs from one owner to another."""

from typing import Annotated

import typer

from service.commands.checks import migrated, refuse, settings_of, words_of

owners = typer.Typer(help="Give things to other owners.", no_args_is_help=True, rich_markup_mode=None)


@owners.command()
def move(
    before: Annotated[str, typer.Argument(help="the present owner, such as default")],
    after: Annotated[str, typer.Argument(help="the new owner")],
    data: Annotated[str | None, typer.Option(help="DESCENT_DATA, ./data by default")] = None,
) -> None:
    """Give all datasets, models and jobs of one owner to another; keys stay as they are."""
    from pydantic import TypeAdapter, ValidationError

    from service.access import operations
    from service.errors import DescentError
    from service.wire import Name

    try:
        TypeAdapter(Name).validate_python(after)
    except ValidationError as error:
        refuse(f"{after!r} cannot be an owner: {words_of(error.errors()[0])}")
    with migrated(settings_of({} if data is None else {"data": data})) as database:
        try:
            with database.transaction() as session:
                moved = operations.move(session, before, after)
        except DescentError as error:
            refuse(error.detail)
        typer.echo(f"{moved} things of {before} belong to {after} now.")


@owners.callback()
def _family() -> None:
    """Give things to other owners."""
