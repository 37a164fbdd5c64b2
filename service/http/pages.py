"""Pages of lists: the envelope, `limit` and `after`, and the filters that all lists have."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from service.database.lookup import Filters
from service.http.query import MOST_LABELS, Label, labels_of

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list, by default newest first; `next` goes into `?after=` and is null at the end."""

    model_config = ConfigDict(json_schema_extra={"description": "One page of a list."})  # else of this class alone

    items: list[Item] = Field(description="the items of this page")
    next: str | None = Field(description="goes into `?after=`; null at the end")


MAX_LIMIT = 1000


def _cut(limit: Any) -> Any:
    return MAX_LIMIT if isinstance(limit, str) and limit.isdecimal() and len(limit.lstrip("0")) > 3 else limit


Limit = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(_cut),
    Query(description=f"items a page; more than {MAX_LIMIT} are cut to {MAX_LIMIT}", examples=[50]),
]


def after_of(name: str) -> Any:
    """Return the parameter that takes a cursor, which the page before has in the field `name`."""
    return Query(description=f"the `{name}` of the page before", json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})


After = Annotated[str | None, after_of("next")]

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _time(given: Any) -> Any:
    """Return a time; a `+` that its sender did not escape has become a blank."""
    text = re.sub(r" (\d\d:\d\d)$", r"+\1", given) if isinstance(given, str) else ""
    try:
        if RFC_3339.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February
        pass
    raise ValueError("give a time with its zone, such as 2026-01-31T12:00:00Z")


CreatedAfter = Annotated[
    datetime | None,
    BeforeValidator(_time),
    Query(description="only items created after this time (RFC 3339)", examples=["2026-01-31T12:00:00Z"]),
]
WantedLabels = Annotated[
    list[Label],
    Query(
        description="only items with this label, `key:value`; repeat for several, all of which must hold",
        max_length=MOST_LABELS,
        examples=[["team:blue"]],
    ),
]
NameBegins = Annotated[
    str | None, Query(description="only items whose name begins so", pattern="^[A-Za-z0-9._-]*$", max_length=100)
]


# async, or FastAPI would call them in a thread
async def _filters(
    label: WantedLabels = [],  # noqa: B006 - it is only read
    created_after: CreatedAfter = None,
) -> Filters:
    return Filters(tuple(labels_of(label, "label").items()), None, created_after)


async def _filters_of_named(
    label: WantedLabels = [],  # noqa: B006 - it is only read
    name: NameBegins = None,
    created_after: CreatedAfter = None,
) -> Filters:
    return Filters(tuple(labels_of(label, "label").items()), name, created_after)


Filtered = Annotated[Filters, Depends(_filters)]
NamesFiltered = Annotated[Filters, Depends(_filters_of_named)]
