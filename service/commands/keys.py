"""`descent keys`: who may come in. It works on the machine of the service, also while that runs."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.commands.checks import migrated, refuse, settings_of, words_of

if TYPE_CHECKING:
    from service.settings import Settings

keys = typer.Typer(help="Make, list and revoke keys.", no_args_is_help=True, rich_markup_mode=None)

Data = Annotated[str | None, typer.Option(help="DESCENT_DATA, ./data by default")]


@keys.command()
def create(
    scope: Annotated[str, typer.Option(help="read, train, admin or metrics")],
    name: Annotated[str | None, typer.Option(help="a word for people; the id without one")] = None,
    owner: Annotated[str | None, typer.Option(help="whom things made with it belong to; its name without one")] = None,
    expires: Annotated[str | None, typer.Option(help="its life, such as 90d or 12h; endless without one")] = None,
    data: Data = None,
) -> None:
    """Make a key, and print it this once; the first one closes the service to requests without a key."""
    from pydantic import ValidationError

    from service.access import operations
    from service.access.schemas import NewKey
    from service.database.caller import WITHOUT_KEYS
    from service.telemetry import logs

    logs.set_up()
    settings = _settings(data)
    seconds_or_span = int(expires) if expires is not None and expires.isdecimal() else expires
    given = {"name": name, "owner": owner, "scope": scope, "expires_in": seconds_or_span}
    try:
        new = NewKey.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        refuse(
            *(f"--{fault['loc'][0]}: {words_of(fault)}".replace("expires_in", "expires") for fault in error.errors())
        )
    with migrated(settings) as database, database.transaction() as session:
        record, text = operations.mint(session, new, WITHOUT_KEYS)
        ends = "never expires" if record.expires_at is None else f"expires at {record.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        known = f"{record.id}, {record.scope}, owner {record.owner}, {ends}"
    typer.echo(f"Key {known}. It is shown this once:", err=True)
    typer.echo(text)


@keys.command("list")
def list_keys(data: Data = None) -> None:
    """Show all keys, newest first, each in a line."""
    from service.access import records

    with migrated(_settings(data)) as database, database.reading() as session:
        after: str | None = None
        while True:
            items, after = records.page(session, 1000, after)
            for each in items:
                state = "revoked" if each.revoked_at else f"until {each.expires_at:%Y-%m-%dT%H:%M:%SZ}"
                if not each.revoked_at and each.expires_at is None:
                    state = "until it is revoked"
                typer.echo(f"{each.id}  {each.name}  {each.scope}  owner {each.owner}  {state}")
            if after is None:
                return


@keys.command()
def revoke(key: Annotated[str, typer.Argument(help="its id, or a name that no other has")], data: Data = None) -> None:
    """End a key; what was made with it stays with its owner."""
    from service.access import operations
    from service.errors import DescentError

    with migrated(_settings(data)) as database:
        try:
            with database.transaction() as session:
                record = operations.revoke(session, key)
                revoked = f"Key {record.id} ({record.name}) is revoked."
        except DescentError as error:
            refuse(error.detail.replace("GET /api/keys lists", "`descent keys list` shows"))
    typer.echo(revoked)


def _settings(data: str | None) -> "Settings":
    return settings_of({} if data is None else {"data": data})
