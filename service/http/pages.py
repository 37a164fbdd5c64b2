"""Pages of lists: the envelope, `limit` and `after`."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

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
