"""Routes: JSON bodies read once, and endpoints that read everything themselves."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from io import BytesIO
from typing import Any, get_args, get_origin

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from service.errors import unread
from service.http.long_json.text import LARGEST_RECIPE, parse_recipe, too_long_a_recipe
from service.http.media_types import name_of
from service.http.problems import speaks_inference_protocol
from service.http.query import check_query

SMALL_BODY = 1 << 16
"""Bytes that are read sooner than a thread is woken for them."""


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
        handle, declared = super().get_route_handler(), dict(_query_parameters(self.dependant))

        async def handler(request: Request) -> Response:
            check_query(request.query_params, declared)
            if self.body_field is None:
                return await handle(request)
            if media_type(request) != "application/json":
                raise unread("This body is", ("application/json",), media_type(request))
            read = JSONRequest(request.scope, request.receive)
            read.content = body = await _recipe_of(request)
            small = len(body) < SMALL_BODY
            read.value = parse_recipe(body) if small else await run_in_threadpool(parse_recipe, body)
            return await handle(read)

        return handler


async def _recipe_of(request: Request) -> bytes:
    """Return the body, which is not read to its end where it is too long."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_RECIPE:
            raise too_long_a_recipe()
    return bytes(body)


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """The query parameters of an endpoint and its dependencies, and whether each may be repeated."""
    for parameter in dependant.query_params:
        shape = parameter.field_info.annotation
        if isinstance(shape, type) and issubclass(shape, BaseModel):
            for name, field in shape.model_fields.items():
                yield field.alias or name, _is_list(field.annotation)
        else:
            yield parameter.alias, _is_list(shape)
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def _is_list(annotation: Any) -> bool:
    return any(get_origin(each) is list or each is list for each in (annotation, *get_args(annotation)))


def media_type(request: Request) -> str:
    return name_of(request.headers.get("content-type", ""))


async def body_of(request: Request) -> bytes:
    """Read the body, which is seldom in more than one piece, without the generators of `request.body()`."""
    body = None
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece: bytes = message.get("body", b"")
        if body is None:
            if not message.get("more_body", False):
                return piece
            body = BytesIO()  # grows in place: pieces that are joined in the end are there twice
        body.write(piece)
        if not message.get("more_body", False):
            return body.getvalue()


Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class DirectRoute(APIRoute):
    """A route that FastAPI describes and Starlette runs: its endpoint reads everything from the request itself.

    It is run so where it is among the application's own routes; a router that is included is tried twice a request.
    Undeclared query parameters are 422, but for the Open Inference Protocol, whose clients may send any.
    """

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        lenient = speaks_inference_protocol(path)
        parameters = options["openapi_extra"]["parameters"]
        declared = {each["name"]: "items" in each["schema"] for each in parameters if each["in"] == "query"}

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            if scope["query_string"] and not lenient:
                check_query(request.query_params, declared)
            response = await endpoint(request)
            await response(scope, receive, send)

        self.app = app

    def get_route_handler(self) -> Endpoint:
        endpoint: Endpoint = self.endpoint
        return endpoint


class Made(Response):
    """A 200 whose bytes are ready: nothing is rendered, and its headers are stored as they are sent."""

    def __init__(self, content: bytes, media_type: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.status_code = 200
        self.background = None
        self.body = content
        length, kind = str(len(content)).encode(), media_type.encode()
        self.raw_headers = [(b"content-length", length), (b"content-type", kind), *headers]
