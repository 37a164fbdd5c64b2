"""The OpenAPI document as makers of clients read it: plain, described, and as strict as the service."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from service.http.document.plain import BOUNDS, schemas_of
from tests.support.document import document

DOCUMENT = document()
JSON = "application/json"
Operation = tuple[str, dict[str, Any]]
OPERATIONS: list[Operation] = [
    (operation["operationId"], operation) for methods in DOCUMENT["paths"].values() for operation in methods.values()
]
SCHEMAS = list(schemas_of(DOCUMENT))


def validator(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """A validator of a schema whose references lead into the document."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in validator(schema).iter_errors(value)]


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property of the document's objects, with the name of its object."""
    for schema in SCHEMAS:
        for name, shape in schema.get("properties", {}).items():
            yield f"{schema.get('title', '?')}.{name}", shape


def parameters() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            yield f"{name}: {parameter['name']}", parameter


def test_every_object_property_and_parameter_is_described() -> None:
    assert [name for name, shape in (*properties(), *parameters()) if not shape.get("description", "").strip()] == []
    objects = {name: shape for name, shape in DOCUMENT["components"]["schemas"].items() if "properties" in shape}
    assert [name for name, shape in objects.items() if not shape.get("description", "").strip()] == []


def test_operations_are_named_as_methods_are() -> None:
    assert [name for name, _ in OPERATIONS if not re.fullmatch(r"[a-z][a-z0-9_]{2,39}", name)] == []


def test_every_operation_has_a_description() -> None:
    assert [name for name, operation in OPERATIONS if not operation.get("description", "").strip()] == []


def test_every_default_can_be_written_down_and_sent() -> None:
    with_default = [schema for schema in SCHEMAS if "default" in schema]
    assert len(with_default) > 50
    assert [schema for schema in with_default if isinstance(schema["default"], dict | list)] == []
    assert [schema for schema in with_default if faults(schema, schema["default"])] == []


def test_bounds_have_the_names_of_json_schema() -> None:
    assert [schema for schema in SCHEMAS if schema.keys() & BOUNDS.keys()] == []


def test_paths_and_headers_have_plain_types() -> None:
    plain = {"string", "integer"}
    placed = [(name, each) for name, each in parameters() if each["in"] in ("path", "header")]
    assert [name for name, each in placed if each["schema"].get("type") not in plain] == []


def test_no_schema_leaves_its_values_open() -> None:
    free: tuple[dict[str, Any], ...] = (
        {"type": "object"},
        {"type": "object", "additionalProperties": True},
        {"type": "array"},
        {},
    )
    of_any_recipe = list(schemas_of(DOCUMENT["components"]["schemas"]["AnyValue"]))
    known = [{key: value for key, value in schema.items() if key in REST} for schema in SCHEMAS]
    assert [each for each, rest in zip(SCHEMAS, known, strict=True) if rest in free and each not in of_any_recipe] == []


REST = {"type", "additionalProperties", "items", "properties", "anyOf", "oneOf", "allOf", "$ref", "enum", "const"}
"""Members that tell what values a schema allows."""


def answers() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (name, status, answer["content"][JSON])
        for name, operation in OPERATIONS
        for status, answer in operation["responses"].items()
        if status.startswith("2") and JSON in answer.get("content", {})
    ]


def test_every_answer_has_an_example_that_is_one() -> None:
    for name, status, content in answers():
        assert "example" in content, f"{name} {status}: `make examples` records one"
        found = faults(content["schema"], content["example"])
        assert found == [], f"{name} {status}: `make examples` records it anew"


def test_the_headers_that_clients_need_are_declared() -> None:
    for name, operation in OPERATIONS:
        headers = {status: set(answer.get("headers", ())) for status, answer in operation["responses"].items()}
        takes = {parameter["name"] for parameter in operation.get("parameters", ())}
        assert "Location" in headers.get("201", {"Location"}), name
        assert {"Location", "Retry-After"} <= headers.get("202", {"Location", "Retry-After"}), name
        assert "Retry-After" in headers.get("503", {"Retry-After"}), name
        assert "prefer" not in takes or "Preference-Applied" in headers["200"], name


def test_every_body_and_answer_has_a_schema() -> None:
    for name, operation in OPERATIONS:
        parts = [operation.get("requestBody", {}), *operation["responses"].values()]
        contents = [content for part in parts for content in part.get("content", {}).values()]
        assert [content for content in contents if not content.get("schema")] == [], name


def body_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = dict(OPERATIONS)[name]["requestBody"]["content"][JSON]["schema"]
    return schema


INPUT = {"name": "inputs", "shape": [1, 1], "datatype": "FP32", "data": [1]}


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("create_model", {"from": {"job": "b"}}, {"from": {"model": "a", "job": "b"}}),
        ("evaluate", {"dataset": "d", "loss": "mse"}, {"dataset": "d", "loss": {"expression": ""}}),
        (
            "v2_infer",
            {"inputs": [INPUT | {"parameters": {"shared_memory_region": None}}]},
            {"inputs": [INPUT | {"parameters": {"shared_memory_region": "a"}}]},
        ),
        ("v2_infer", {"inputs": [INPUT]}, {"inputs": [INPUT | {"shape": [0, 1], "data": []}]}),
        ("v2_infer", {"inputs": [INPUT]}, {"inputs": [{key: INPUT[key] for key in ("name", "shape", "datatype")}]}),
        (
            "v2_infer",
            {"inputs": [INPUT | {"parameters": {"binary_data_size": None}}]},
            {"inputs": [INPUT | {"parameters": {"binary_data_size": 4}}]},
        ),
        (
            "create_sweep",
            {"model": "m", "dataset": "d", "vary": {"optimiser.eta": [1]}},
            {"model": "m", "dataset": "d", "vary": {"optimizer.eta": [1]}},
        ),
        (
            "create_sweep",
            {"dataset": "d", "vary": {"architecture": ["Dense(1 => 1)"]}},
            {"dataset": "d", "vary": {"epochs": [1]}},
        ),
        ("predict", {"inputs": [[1]]}, {}),
        ("invoke", {"dataframe_records": [{"x": 1}]}, {"dataframe_records": []}),
        ("invoke", {"instances": [[1]], "inputs": None}, {"inputs": None, "signature_name": "x"}),
    ],
)
def test_what_the_service_refuses_is_not_described(name: str, right: Any, wrong: Any) -> None:
    assert faults(body_of(name), right) == []
    assert faults(body_of(name), wrong) != []
