"""Short names, plain types and usable defaults in an OpenAPI document: many makers of clients know no more."""

import re
from collections.abc import Iterator
from typing import Any

from service.http.json_numbers import JsonObject
from service.http.problems import speaks_inference_protocol

BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""JSON Schema's words for what pydantic leaves as its own beside `anyOf`."""
SCHEMA = {"type", "anyOf", "oneOf", "$ref"}
"""Members that define a schema; each schema has at least one."""
INSTANCES = {"const", "default", "enum", "example", "examples"}
"""Members that hold no schema, but values of one, unless they are names of properties."""
MEANINGS = {
    "model": "the model's id or name",
    "dataset": "the dataset's id or name",
    "job": "the job's id",
    "evaluation": "the evaluation's id",
    "sweep": "the sweep's id or name",
    "cross_validation": "the cross-validation's id",
    "key": "the key's id, or a name that no other has",
    "version": "the number of the model's version",
}
"""Descriptions of the parameters of paths."""


def make_plain(document: JsonObject) -> None:
    """Give operations short names, parameters descriptions, and schemas plain bounds and usable defaults."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            operation["operationId"] = _name(path, method, operation["operationId"])
            _name_answers(operation)
            for parameter in operation.get("parameters", ()):
                _make_parameter_plain(parameter)
    for schema in list(schemas_of(document)):
        _make_schema_plain(schema)


def schemas_of(node: Any, named: bool = False) -> Iterator[JsonObject]:
    """Every schema of the document, and every other object that has a member of their names."""
    if isinstance(node, dict):
        if not named and node.keys() & SCHEMA:
            yield node
        for name, child in node.items():
            if named or name not in INSTANCES:
                yield from schemas_of(child, not named and name == "properties")
    elif isinstance(node, list):
        for child in node:
            yield from schemas_of(child)


def _name(path: str, method: str, long: str) -> str:
    """Return the function's name, which FastAPI makes unique with the path; V2 has some of the same names."""
    name = long.removesuffix(re.sub(r"\W", "_", path) + "_" + method)
    if not speaks_inference_protocol(path):
        return name
    return f"v2_{name}_of_version" if "{version}" in path else f"v2_{name}"


def _name_answers(operation: JsonObject) -> None:
    """Name answers that have no class for their operation: FastAPI's titles have the path, and makers of clients use
    them.
    """
    for answer in operation["responses"].values():
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("title", "").startswith("Response "):
            schema["title"] = operation["operationId"].title().replace("_", "") + "Answer"


def _make_parameter_plain(parameter: JsonObject) -> None:
    """A path has no null, and a header is a text, however it is read; a description belongs to the parameter."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    described = next((each["description"] for each in (schema, *choices) if "description" in each), None)
    if described is None and parameter["in"] == "path":
        described = MEANINGS.get(parameter["name"])
    if described is not None:
        parameter.setdefault("description", described)
    if parameter["in"] == "path" and len(choices) == 1:
        del schema["anyOf"]
        schema |= choices[0]
    elif parameter["in"] == "header":
        parameter["schema"] = _of_header(schema)


def _of_header(schema: JsonObject) -> JsonObject:
    """Return the schema without the null of a header that is not sent."""
    wanted = {"type": "integer"} if schema.get("type") == "integer" else {"type": "string"}
    choices = [schema, *schema.get("anyOf", ())]
    bounds = ("minLength", "maxLength", "minimum", "maximum", "pattern")
    kept = {name: choice[name] for choice in choices for name in bounds if name in choice}
    title = {"title": schema["title"]} if "title" in schema else {}
    return wanted | title | kept


def _make_schema_plain(schema: JsonObject) -> None:
    for ours, theirs in BOUNDS.items():
        if ours in schema:
            _move_bound(schema, ours, theirs)
    if "default" in schema and not _is_usable(schema["default"], schema):
        del schema["default"]
    if "prefixItems" in schema and "items" not in schema:
        _give_items(schema)
    if "additionalProperties" not in schema and len(schema.get("patternProperties", ())) == 1:
        # names of one pattern with values of one kind, in words that every maker of clients knows
        pattern, values = schema.pop("patternProperties").popitem()
        schema |= {"additionalProperties": values, "propertyNames": {"pattern": pattern}}


def _give_items(schema: JsonObject) -> None:
    """Describe the items of a list whose places differ together, too."""
    places = schema["prefixItems"]
    kinds = {place.get("type") for place in places}
    if all(place == places[0] for place in places):
        schema["items"] = schema.pop("prefixItems")[0]
    elif len(kinds) == 1:
        schema["items"] = {"type": kinds.pop()}


def _move_bound(schema: JsonObject, ours: str, theirs: str) -> None:
    bound = schema.pop(ours)
    for choice in schema.get("anyOf", [schema]):
        if choice.get("type") != "null":
            choice[theirs] = bound


def _is_usable(default: Any, schema: JsonObject) -> bool:
    """Whether a client may send the default, and can write it down: in many languages objects and lists are none."""
    if isinstance(default, dict | list):
        return False
    return not (isinstance(default, str) and len(default) < schema.get("minLength", 0))
