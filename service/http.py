"""What endpoints share: bodies, the page envelope, what the application holds."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
import orjson
from fastapi import Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, Field

from service.database.database import Database
from service.errors import WrongFormat
from service.idempotency.creation import Creation, KeysInFlight, fingerprint, replay
from service.json_text import LARGEST_RECIPE, parse_recipe, too_long_a_recipe
from service.query_parameters import refuse_undeclared
from service.storage.storage import Storage

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list, newest first unless said otherwise; `next` goes into `?after=` and is null at the end."""

    items: list[Item]
    next: str | None


MAX_LIMIT = 1000
SMALL_BODY = 1 << 16
"""Bytes that are read sooner than a thread is woken for them."""


def _cut(limit: Any) -> Any:
    return MAX_LIMIT if isinstance(limit, str) and limit.isdecimal() and len(limit.lstrip("0")) > 3 else limit


Limit = Annotated[
    int,
    Field(ge=1),
    BeforeValidator(_cut),
    Query(description=f"items a page; more than {MAX_LIMIT} are cut to {MAX_LIMIT}", examples=[50]),
]
After = Annotated[str | None, Query(description="the `next` of the page before")]


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _storage(request: Request) -> Storage:
    storage: Storage = request.app.state.storage
    return storage


DatabaseOf = Annotated[Database, Depends(_database)]
StorageOf = Annotated[Storage, Depends(_storage)]


IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=200, description="send it again with the same key: it is done once"),
]


async def creation(
    request: Request, database: DatabaseOf, idempotency_key: IdempotencyKey = None
) -> AsyncIterator[Creation]:
    """What a POST that creates needs to answer; a `Replayed` where it was answered before."""
    if idempotency_key is None:
        yield Creation(None, "")
        return
    in_flight: KeysInFlight = request.app.state.keys_in_flight
    mark = await run_in_threadpool(fingerprint, request, await request.body())
    # before the key is asked for: one that waits for its job's end has committed its answer long before it lets go
    await run_in_threadpool(replay, database, idempotency_key, mark)
    with in_flight.hold(idempotency_key):
        await run_in_threadpool(replay, database, idempotency_key, mark)
        yield Creation(idempotency_key, mark)


CreationOf = Annotated[Creation, Depends(creation)]


def numbers_response(answer: dict[str, Any], status: int = 200) -> Response:
    """An answer with arrays in it. A float32 is written with the fewest digits that give it back: 0.1, not
    0.10000000149011612.
    """
    content = orjson.dumps(answer, default=np.ascontiguousarray, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, media_type="application/json")


def attachment(name: str) -> dict[str, str]:
    """The header by which browsers save an answer as a file of this name, which is made of names as the service has."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


class JSONRequest(Request):
    """A request whose JSON body has been read already: FastAPI would turn our errors about it into a bare 400."""

    content: bytes = b""
    value: Any = None

    async def body(self) -> bytes:
        return self.content

    async def json(self) -> Any:
        return self.value


class JSONRoute(APIRoute):
    """A route whose bodies go through `parse_recipe`; other content types are 415, undeclared query parameters 422."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, declared = super().get_route_handler(), tuple(_query_parameters(self.dependant))

        async def handler(request: Request) -> Response:
            refuse_undeclared(request.query_params, declared)
            if self.body_field is None:
                return await handle(request)
            if media_type(request) != "application/json":
                raise WrongFormat("This body is read as JSON: send it with Content-Type: application/json.")
            read = JSONRequest(request.scope, request.receive)
            read.content = body = await _recipe_of(request)
            small = len(body) < SMALL_BODY
            read.value = parse_recipe(body) if small else await run_in_threadpool(parse_recipe, body)
            return await handle(read)

        return handler


async def _recipe_of(request: Request) -> bytes:
    """The body, which is not read to its end where it is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_RECIPE:
            raise too_long_a_recipe()
    return bytes(body)


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    """The names of all that an endpoint and what it depends on read of the query."""
    for parameter in dependant.query_params:
        shape = parameter.field_info.annotation
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            yield from (field.alias or name for name, field in shape.model_fields.items())
        else:
            yield parameter.alias
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
