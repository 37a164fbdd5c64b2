"""Problems (RFC 9457): their shape, their description in OpenAPI, and the one handler that makes them of errors."""

import json
import logging
import re
from inspect import get_annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from service.database.disk_faults import disk_fault, is_busy
from service.errors import DescentError, Fault, Invalid, TooMany, Unauthorized, Unavailable
from service.http.json_bodies import invalid_body
from service.http.json_numbers import JsonObject
from service.http.responses import Replayed
from service.pointers import OBJECTS

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
PROTOCOL_JSON = "application/json"
"""The media type of errors in foreign protocols, whose clients read no other."""


class FaultShape(BaseModel):
    """A fault of a request, and its place."""

    pointer: str = Field(description="JSON pointer into the body, or the name of a parameter", examples=["#/epochs"])
    detail: str = Field(description="the fault and its remedy")


class Problem(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field("about:blank", description="always about:blank: `code` tells kinds of errors apart")
    title: str = Field(description="the kind of error, in words")
    status: int = Field(description="the status of the answer")
    detail: str = Field(description="a sentence for people, with the remedy")
    instance: str = Field(description="the path that was asked for")
    code: str = Field(description="a stable word for programs")
    errors: list[FaultShape] = Field([], description="the faults of the request, each with its place")
    error: str = Field("", description="only under /v1 and /v2: the detail, where the protocols there have it")


def problems(*statuses: int) -> dict[int | str, JsonObject]:
    """OpenAPI: the statuses that an endpoint answers with a problem."""
    titles = _ROUTER_TITLES | {kind.status: kind.title for kind in _kinds(DescentError)}
    return {
        status: {"description": titles[status], "content": {PROBLEM_JSON: {"schema": PROBLEM_REFERENCE}}}
        for status in sorted({*statuses, 500, 503})
    }


PROBLEM_REFERENCE = {"$ref": "#/components/schemas/Problem"}


def _kinds(kind: type[DescentError]) -> list[type[DescentError]]:
    return [kind, *(k for sub in kind.__subclasses__() for k in _kinds(sub))]


def speaks_inference_protocol(path: str) -> bool:
    """Whether the path belongs to the Open Inference Protocol."""
    return path == "/v2" or path.startswith("/v2/")


def speaks_a_protocol(path: str) -> bool:
    """Whether the path belongs to KServe's protocols, V1 or V2."""
    return path.startswith("/v1/") or speaks_inference_protocol(path)


def problem_response(
    path: str, status: int, title: str, detail: str, code: str, errors: tuple[Fault, ...] = ()
) -> Response:
    if speaks_inference_protocol(path) and status == Invalid.status:
        status = 400  # the protocol's word for whatever is wrong with a request
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        "code": code,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in errors],
    }
    foreign = speaks_a_protocol(path)
    if foreign:
        problem["error"] = detail  # what its clients look for
    # ensure_ascii: a detail may quote what the client sent, also what UTF-8 cannot carry
    return Response(json.dumps(problem), status, media_type=PROTOCOL_JSON if foreign else PROBLEM_JSON)


def _kind_of_body(request: Request) -> str:
    """Return the name of the class that an endpoint reads its body as; an empty text where there is none."""
    hints = get_annotations(request.scope["endpoint"]).values()
    return next((hint.__name__ for hint in hints if isinstance(hint, type) and hint.__name__ in OBJECTS), "")


def add_error_handlers(app: FastAPI) -> None:
    """Turn every error into a problem: ours, the router's, the validator's, the database's and unforeseen ones."""

    def answer(request: Request, error: Exception) -> Response:
        path = request.url.path
        match error:
            case Replayed():
                return error.response
            case ClientDisconnect():
                return Response(status_code=400)  # nobody reads it
            case HTTPException():
                return _router_problem(app, request, error)
            case RequestValidationError():
                kind = _kind_of_body(request)
                return problem_of(path, invalid_body(list(error.errors()), error.body, prefix=("body",), kind=kind))
            case DescentError():
                return problem_of(path, error)
            case OperationalError() | PoolTimeout():
                return problem_of(path, _unavailable(error))
            case _:
                detail = "Something went wrong here; the log of the service has the error."
                return problem_response(path, 500, "Internal error", detail, "internal_error")

    app.add_exception_handler(OSError, _answer_of_disk)
    kinds = (RequestValidationError, DescentError, HTTPException, OperationalError, PoolTimeout, Exception)
    for kind in (Replayed, ClientDisconnect, *kinds):
        app.add_exception_handler(kind, answer)


def problem_of(path: str, error: DescentError) -> Response:
    """Return the answer to a request for `path` that ended in `error`."""
    code = error.code or error.title.lower().replace(" ", "_")
    response = problem_response(path, error.status, error.title, error.detail, code, error.errors)
    if isinstance(error, Unavailable | TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        response.headers["WWW-Authenticate"] = 'Bearer realm="descent"'
    return response


async def refuse(scope: Scope, receive: Receive, send: Send, error: DescentError) -> None:
    """Answer a request of which no body was read, and read none: the connection closes."""
    response = problem_of(scope["path"], error)
    response.headers["Connection"] = "close"
    await response(scope, receive, send)


def _answer_of_disk(request: Request, error: Exception) -> Response:
    fault = disk_fault(error)
    if fault is None:  # some other trouble of the system
        raise error
    return problem_of(request.url.path, fault)


def _unavailable(error: OperationalError | PoolTimeout) -> Unavailable:
    fault = disk_fault(error)
    if fault is not None:
        return fault
    log.warning("the database did not answer: %s", getattr(error, "orig", error))
    if is_busy(error):
        return Unavailable("The database is busy: try again.", "busy")
    return Unavailable("The database is out of reach: try again.", "database_unavailable")


def _router_problem(app: FastAPI, request: Request, error: HTTPException) -> Response:
    title = _ROUTER_TITLES.get(error.status_code, "Error")
    methods = (_methods_at(app, request.url.path) or ["GET"]) if error.status_code == 405 else []
    allow = ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}))
    if methods and request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": allow})
    detail = _router_detail(request, error, methods)
    response = problem_response(request.url.path, error.status_code, title, detail, title.lower().replace(" ", "_"))
    response.headers.update(error.headers or {})
    if methods:
        response.headers["Allow"] = allow
    return response


_ROUTER_TITLES = {
    400: "Bad request",
    404: "Not found",
    405: "Method not allowed",
    413: "Content too large",
}


def _methods_at(app: FastAPI, path: str) -> list[str]:
    """Return the methods of all routes with this path; the router itself names those of the first alone."""
    paths = app.openapi()["paths"]
    fits = [template for template in paths if re.fullmatch(_PARAMETER.sub("[^/]+", template), path)]
    literal = {template: len(_PARAMETER.sub("", template)) for template in fits}
    nearest = (paths[template] for template in fits if literal[template] == max(literal.values()))
    return sorted({method.upper() for operations in nearest for method in operations})


_PARAMETER = re.compile(r"\{[^}]+\}")


def _router_detail(request: Request, error: HTTPException, methods: list[str]) -> str:
    match error.status_code:
        case 404:
            return f"There is nothing at {request.url.path}; /docs lists all paths."
        case 405:
            possible = " and ".join([", ".join(methods[:-1]), methods[-1]] if len(methods) > 1 else methods)
            verb = "are" if len(methods) > 1 else "is"
            return f"{request.method} is not possible at {request.url.path}: {possible} {verb}. /docs tells what for."
        case _:
            return str(error.detail)
