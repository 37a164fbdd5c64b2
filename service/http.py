"""What endpoints share: bodies, the page envelope, the one error handler."""

import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from copy import deepcopy
from typing import Annotated, Any, Generic, TypeVar

import numpy as np
import orjson
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from service.database.engine import Database
from service.datasets.storage import Storage
from service.errors import DescentError, Fault, Unavailable, WrongFormat
from service.idempotency import Creation, KeysInFlight, Replayed, fingerprint, replay
from service.json_bodies import invalid_body, read_json

log = logging.getLogger(__name__)

Item = TypeVar("Item")

PROBLEM_JSON = "application/problem+json"


class FaultShape(BaseModel):
    pointer: str = Field(description="JSON pointer into the body, or the name of a parameter", examples=["#/epochs"])
    detail: str


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str = Field(description="the path that was asked for")
    code: str = Field(description="a stable word for programs")
    errors: list[FaultShape] = []


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


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI: the statuses that an endpoint answers with a problem."""
    titles = {kind.status: kind.title for kind in _kinds(DescentError)}
    return {
        status: {"description": titles[status], "content": {PROBLEM_JSON: {"schema": PROBLEM_REFERENCE}}}
        for status in sorted({*statuses, 500, 503})
    }


PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}


def _kinds(kind: type[DescentError]) -> list[type[DescentError]]:
    return [kind, *(k for sub in kind.__subclasses__() for k in _kinds(sub))]


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _storage(request: Request) -> Storage:
    storage: Storage = request.app.state.storage
    return storage


DatabaseOf = Annotated[Database, Depends(_database)]
StorageOf = Annotated[Storage, Depends(_storage)]


async def _creation(
    request: Request,
    database: DatabaseOf,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="send it again with the same key: it is done once"),
    ] = None,
) -> AsyncIterator[Creation]:
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


CreationOf = Annotated[Creation, Depends(_creation)]


def numbers_response(answer: dict[str, Any], status: int = 200) -> Response:
    """An answer with arrays in it. A float32 is written with the fewest digits that give it back: 0.1, not
    0.10000000149011612.
    """
    content = orjson.dumps(answer, default=np.ascontiguousarray, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, media_type="application/json")


class JSONRequest(Request):
    """A request whose JSON body has been read already: FastAPI would turn our errors about it into a bare 400."""

    value: Any = None

    async def json(self) -> Any:
        return self.value


class JSONRoute(APIRoute):
    """A route whose bodies go through `read_json`; other content types are 415."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if self.body_field is None:
                return await handle(request)
            if media_type(request) != "application/json":
                raise WrongFormat("This body is read as JSON: send it with Content-Type: application/json.")
            read = JSONRequest(request.scope, request.receive)
            body = await read.body()
            small = len(body) < SMALL_BODY
            read.value = read_json(body) if small else await run_in_threadpool(read_json, body)
            return await handle(read)

        return handler


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def problem_response(
    request: Request, status: int, title: str, detail: str, code: str, errors: tuple[Fault, ...] = ()
) -> Response:
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in errors],
    }
    # ensure_ascii: a detail may quote what the client sent, also what UTF-8 cannot carry
    return Response(json.dumps(problem), status, media_type=PROBLEM_JSON)


def add_error_handlers(app: FastAPI) -> None:
    """Every error leaves as a problem: ours, the router's, the validator's, the database's and what nobody foresaw."""

    def answer(request: Request, error: Exception) -> Response:
        match error:
            case Replayed():
                return error.response
            case ClientDisconnect():
                return Response(status_code=400)  # nobody reads it
            case HTTPException():
                return _router_problem(app, request, error)
            case RequestValidationError():
                return _problem_of(request, invalid_body(list(error.errors()), error.body, prefix=("body",)))
            case DescentError():
                return _problem_of(request, error)
            case OperationalError() | PoolTimeout():
                log.warning("the database did not answer: %s", error)
                detail = "The database is busy or out of reach: try again."
                return _problem_of(request, Unavailable(detail, "database_unavailable"))
            case _:
                detail = "Something went wrong here; the log of the service says what."
                return problem_response(request, 500, "Internal error", detail, "internal_error")

    kinds = (RequestValidationError, DescentError, HTTPException, OperationalError, PoolTimeout, Exception)
    for kind in (Replayed, ClientDisconnect, *kinds):
        app.add_exception_handler(kind, answer)


def _problem_of(request: Request, error: DescentError) -> Response:
    code = error.code or error.title.lower().replace(" ", "_")
    response = problem_response(request, error.status, error.title, error.detail, code, error.errors)
    if error.status == 503:
        response.headers["Retry-After"] = "1"
    return response


def _router_problem(app: FastAPI, request: Request, error: HTTPException) -> Response:
    title = _ROUTER_TITLES.get(error.status_code, "Error")
    detail = _router_detail(request, error)
    response = problem_response(request, error.status_code, title, detail, title.lower().replace(" ", "_"))
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(_methods_at(app, request.url.path))
    return response


_ROUTER_TITLES = {
    400: "Bad request",
    404: "Not found",
    405: "Method not allowed",
    413: "Content too large",
}


def _methods_at(app: FastAPI, path: str) -> list[str]:
    """The methods of all routes with this path; the router itself names those of the first alone."""
    paths = app.openapi()["paths"]
    fits = (
        operations for template, operations in paths.items() if re.fullmatch(_PARAMETER.sub("[^/]+", template), path)
    )
    return sorted({method.upper() for operations in fits for method in operations})


_PARAMETER = re.compile(r"\{[^}]+\}")


def _router_detail(request: Request, error: HTTPException) -> str:
    match error.status_code:
        case 404:
            return f"There is nothing at {request.url.path}; /docs lists what there is."
        case 405:
            return f"{request.method} is not possible at {request.url.path}; /docs lists what is."
        case _:
            return str(error.detail)


def add_problem_schema(app: FastAPI) -> None:
    """OpenAPI: describe `Problem` once, and drop FastAPI's own form of a 422, which is never sent."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document = deepcopy(described())
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs")
            schemas["Problem"] = problem
            for operation in (each for path in document["paths"].values() for each in path.values()):
                for content in operation.get("requestBody", {}).get("content", {}).values():
                    schemas |= content["schema"].pop("$defs", {})  # of bodies that an endpoint parses itself
                declared = operation["responses"].get("422", {}).get("content", {})
                if "application/json" in declared:
                    operation["responses"]["422"] = problems(422)[422]
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
