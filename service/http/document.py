"""The OpenAPI document, with short names, plain bounds and usable defaults, as makers of clients want it."""

import re
from collections.abc import Iterator
from copy import deepcopy
from threading import Lock
from typing import Any

from fastapi import FastAPI

from service.http.problems import (
    PROBLEM_JSON,
    PROTOCOL_JSON,
    Problem,
    problems,
    speaks_a_protocol,
    speaks_inference_protocol,
)

BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""JSON Schema's words for what pydantic leaves as its own beside `anyOf`."""
SCHEMA = {"type", "anyOf", "oneOf", "$ref"}
"""Members that define a schema; each schema has at least one."""
MEANINGS = {
    "model": "the model's id or name",
    "dataset": "the dataset's id or name",
    "job": "the job's id",
    "evaluation": "the evaluation's id",
    "version": "the number of the model's version",
}
"""Descriptions of the parameters of paths."""


def add_document(app: FastAPI) -> None:
    """Make the application's document once, when it is first asked for."""
    described, making = app.openapi, Lock()

    def openapi() -> dict[str, Any]:
        with making:  # several threads may be the first to ask
            if app.openapi_schema is None:
                document = deepcopy(described())
                _describe_problems(document)
                _polish(document)
                app.openapi_schema = document
            return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _describe_problems(document: dict[str, Any]) -> None:
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
        if speaks_a_protocol(path):
            for answer in operation["responses"].values():
                if PROBLEM_JSON in answer.get("content", {}):
                    answer["content"] = {PROTOCOL_JSON: answer["content"][PROBLEM_JSON]}


def _polish(document: dict[str, Any]) -> None:
    """Give operations short names, parameters of paths descriptions, and schemas plain bounds and usable defaults."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operation["operationId"] = _name(path, method, operation["operationId"])
            for parameter in operation.get("parameters", ()):
                _describe_parameter(parameter)
    for schema in list(_schemas(document)):
        for ours, theirs in BOUNDS.items():
            if ours in schema:
                _move_bound(schema, ours, theirs)
        if "default" in schema and not _is_usable(schema["default"], schema):
            del schema["default"]


def _name(path: str, method: str, long: str) -> str:
    """Return the function's name, which FastAPI makes unique with the path; V2 has some of the same names."""
    name = long.removesuffix(re.sub(r"\W", "_", path) + "_" + method)
    if not speaks_inference_protocol(path):
        return name
    return f"v2_{name}_of_version" if "{version}" in path else f"v2_{name}"


def _describe_parameter(parameter: dict[str, Any]) -> None:
    """A path has no null, and a header is a text, however it is read: many generators know no more than that."""
    schema = parameter["schema"]
    if parameter["in"] == "path":
        parameter.setdefault("description", MEANINGS[parameter["name"]])
        choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
        if len(choices) == 1:
            del schema["anyOf"]
            schema |= choices[0]
    elif parameter["in"] == "header":
        title = {"title": schema["title"]} if "title" in schema else {}
        parameter["schema"] = {"type": schema["type"] if schema.get("type") == "integer" else "string"} | title


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of the document, and every other object that has no member of their names."""
    if isinstance(node, dict):
        if node.keys() & SCHEMA:
            yield node
        for child in node.values():
            yield from _schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from _schemas(child)


def _move_bound(schema: dict[str, Any], ours: str, theirs: str) -> None:
    bound = schema.pop(ours)
    for choice in schema.get("anyOf", [schema]):
        if choice.get("type") != "null":
            choice[theirs] = bound


def _is_usable(default: Any, schema: dict[str, Any]) -> bool:
    """Whether a client may send the default, and can write it down: in many languages objects and lists are none."""
    if isinstance(default, dict | list):
        return False
    return not (isinstance(default, str) and len(default) < schema.get("minLength", 0))
