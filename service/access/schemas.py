"""Keys on the wire."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from service.wire import DescribedAs, Name, Strict

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36525)
"""The longest life of a key that ends: a century."""
SPAN = "([1-9][0-9]{0,8})([smhdw])"

KeyScope = Annotated[
    Literal["read", "train", "admin", "metrics"],
    Field(
        description="read: GET and predictions; train: also create, change and delete; admin: also keys, and what "
        "others own, by its id; metrics: `/metrics` alone"
    ),
]


def life_of(value: Any) -> timedelta:
    """Return the span that a text such as `90d`, or a number of seconds, stands for."""
    seconds: float = -1
    if isinstance(value, str) and (match := re.fullmatch(SPAN, value)):
        seconds = int(match[1]) * timedelta(**{UNITS[match[2]]: 1}).total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    if not 0 < seconds <= LONGEST.total_seconds():
        raise ValueError("give a span such as 90d, 12h or 30m, or a number of seconds; at most a century")
    return timedelta(seconds=seconds)


_Span = Annotated[str, Field(pattern=rf"^{SPAN}$")] | Annotated[float, Field(gt=0, le=LONGEST.total_seconds())]
Life = Annotated[timedelta, BeforeValidator(life_of), DescribedAs(_Span)]


class NewKey(Strict):
    """A key to be made."""

    name: Annotated[Name | None, Field(description="a word for people; without one the id serves")] = None
    owner: Annotated[
        Name | None, Field(description="whom things belong to that are made with it; by default its name")
    ] = None
    scope: KeyScope
    expires_in: Annotated[
        Life | None,
        Field(
            description="how long it lives: 90d, 12h, 30m, or a number of seconds; null: until revoked, or as long "
            "as the key that makes it"
        ),
    ] = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "notebook", "owner": "ada", "scope": "train", "expires_in": "90d"}]},
    )


class Key(BaseModel):
    """A key, without its text."""

    id: str = Field(description="its id")
    name: str = Field(description="its name; several may have the same")
    owner: str = Field(description="whom things belong to that are made with it")
    scope: KeyScope
    made_by: str | None = Field(description="the id of the key that made it; null: the command, or nobody's")
    created_at: datetime = Field(description="when it was made")
    expires_at: datetime | None = Field(description="when it ends by itself; null: never")
    revoked_at: datetime | None = Field(description="when it was revoked; null: it was not")

    model_config = ConfigDict(from_attributes=True)


class MadeKey(Key):
    """A key that was just made, with its text, which is shown this once."""

    key: str = Field(description="goes into `Authorization: Bearer`; only its SHA-256 is kept")
