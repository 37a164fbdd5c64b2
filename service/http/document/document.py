"""The OpenAPI document of the application, as makers of clients want it."""

from copy import deepcopy
from threading import Lock

from fastapi import FastAPI

from service.http.document.answers import describe_answers
from service.http.document.plain import make_plain
from service.http.json_numbers import JsonObject
from service.http.problems import (
    PROBLEM_JSON,
    PROTOCOL_JSON,
    Problem,
    problems,
    speaks_a_protocol,
    speaks_inference_protocol,
)


def add_document(app: FastAPI) -> None:
    """Make the application's document once, when it is first asked for."""
    described, making = app.openapi, Lock()

    def openapi() -> JsonObject:
        with making:  # several threads may be the first to ask
            if app.openapi_schema is None:
                document = deepcopy(described())
                _describe_doors(document)
                _describe_problems(document)
                make_plain(document)
                describe_answers(document)
                app.openapi_schema = document
            return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


OF_ANY_REQUEST = (400, 403, 408, 431)
"""Statuses of faults that any request may have: a foreign Host or Origin, no HTTP, slowness, too long headers."""
OF_AN_OWNER = (401, 429)
"""Statuses of requests that need a key: none that is good, and more than its owner may send."""

NEED_NO_KEY = {("get", "/health/live"), ("get", "/health/ready"), ("post", "/api/sign-in")}
SIGNED_IN: JsonObject = {
    "type": "apiKey",
    "in": "cookie",
    "name": "descent",
    "description": "the cookie that `POST /api/sign-in` sets in a browser; `__Host-descent` under https",
}
KEY: JsonObject = {
    "type": "http",
    "scheme": "bearer",
    "description": "a key that `descent keys create` or `POST /api/keys` made; needed once there is one",
}


def _describe_doors(document: JsonObject) -> None:
    """Describe keys. The empty requirement is for services that have none, or ask for none."""
    document["components"]["securitySchemes"] = {"key": KEY, "signed_in": SIGNED_IN}
    document["security"] = [{"key": []}, {"signed_in": []}, {}]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (method, path) in NEED_NO_KEY:
                operation["security"] = []
            else:
                for status in OF_AN_OWNER:
                    operation["responses"].setdefault(str(status), problems(status)[status])


def _describe_problems(document: JsonObject) -> None:
    """Describe `Problem` once, and drop FastAPI's own form of a 422, which is never sent."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    operations = ((path, each) for path, methods in document["paths"].items() for each in methods.values())
    for path, operation in operations:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schemas |= content["schema"].pop("$defs", {})  # of bodies that an endpoint parses itself
        declared = operation["responses"].get("422", {}).get("content", {})
        if "application/json" in declared:
            del operation["responses"]["422"]
            status = 400 if speaks_inference_protocol(path) else 422
            operation["responses"][str(status)] = problems(status)[status]
        for status in OF_ANY_REQUEST:
            operation["responses"].setdefault(str(status), problems(status)[status])
        if speaks_a_protocol(path):
            for answer in operation["responses"].values():
                if PROBLEM_JSON in answer.get("content", {}):
                    answer["content"] = {PROTOCOL_JSON: answer["content"][PROBLEM_JSON]}
