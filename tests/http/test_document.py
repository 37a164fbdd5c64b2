"""The OpenAPI document makes clients: what they take from it works as they send it."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.client import Client
from tests.support.document import document

DOCUMENT = document()
PLAIN = {"string", "integer", "number", "boolean"}


def parameters(place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == place:
                    yield f"{path} {parameter['name']}", parameter


def objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child)


def test_operations_are_named_as_a_person_would_name_methods() -> None:
    paths = DOCUMENT["paths"]
    assert paths["/api/jobs"]["post"]["operationId"] == "create_job"
    assert paths["/api/models/{model}/predictions"]["post"]["operationId"] == "predict"
    assert paths["/v2/models/{model}/infer"]["post"]["operationId"] == "v2_infer"
    assert paths["/v2/models/{model}/versions/{version}/infer"]["post"]["operationId"] == "v2_infer_of_version"


@pytest.mark.parametrize("place", ["path", "header"])
def test_parameters_of_paths_and_headers_are_plain(place: str) -> None:
    assert [name for name, each in parameters(place) if each["schema"].get("type") not in PLAIN] == []


def test_every_parameter_of_a_path_is_described() -> None:
    assert [name for name, each in parameters("path") if not each.get("description")] == []


def test_bounds_are_those_of_json_schema() -> None:
    assert [each for each in objects(DOCUMENT) if "anyOf" in each and each.keys() & {"ge", "gt", "le", "lt"}] == []


def test_no_default_is_an_object_or_a_list() -> None:
    schemas = (each for each in objects(DOCUMENT) if "type" in each or "anyOf" in each)
    assert [each for each in schemas if isinstance(each.get("default"), dict | list)] == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/models/{model}/predictions", {"inputs": [[6], [7]]}),
        ("/api/models", {"layers": [{"type": "Dense", "in": 1, "out": 1}]}),
        ("/api/datasets", {"columns": {"x": [1, 2], "y": [2, 4]}, "targets": ["y"]}),
    ],
)
def test_a_body_with_every_stated_default_is_taken(client: Client, path: str, body: dict[str, Any]) -> None:
    schema = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    defaults = {name: each["default"] for name, each in schema["properties"].items() if "default" in each}
    model = client.create_model("Dense(1 => 1)").id
    answer = client.http.post(path.format(model=model), json=defaults | body)
    assert answer.is_success, answer.text
