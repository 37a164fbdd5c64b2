"""The OpenAPI document: complete, true, and with examples that run."""

import json
from collections.abc import Iterator
from typing import Any

import httpx

from service.client import Client
from tests.support.conformity import METHODS
from tests.support.document import document
from tests.support.training import endless_job, line

DOCUMENT = document()
Operation = tuple[str, str, dict[str, Any]]
OPERATIONS: list[Operation] = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]
BODIES = [(method, path, operation) for method, path, operation in OPERATIONS if "requestBody" in operation]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def test_the_served_document_is_this_one(http: httpx.Client) -> None:
    assert http.get("/openapi.json").json() == DOCUMENT


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    used = set(references(DOCUMENT))
    assert used == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


def test_every_path_of_the_api_is_described() -> None:
    assert {method for methods in DOCUMENT["paths"].values() for method in methods} <= set(METHODS)
    assert {"/api/datasets", "/api/models", "/api/jobs", "/health/live", "/health/ready"} <= set(DOCUMENT["paths"])
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_every_operation_says_what_it_does() -> None:
    for method, path, operation in OPERATIONS:
        assert 0 < len(operation["summary"]) < 80, (method, path)
        assert operation["tags"], (method, path)
        names = {parameter["name"].lower() for parameter in operation.get("parameters", [])}
        assert not names & {"accept", "content-type", "authorization"}, (method, path)  # OpenAPI ignores these


def test_every_error_is_a_problem() -> None:
    for method, path, operation in OPERATIONS:
        kind = "application/json" if path.startswith(("/v1/", "/v2")) else "application/problem+json"
        problem = {kind: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for status, response in operation["responses"].items():
            if status.startswith(("4", "5")):
                assert response["content"] == problem, (method, path, status)
            else:
                assert "application/problem+json" not in response.get("content", {}), (method, path, status)


def test_the_errors_that_anybody_can_cause_are_declared() -> None:
    for method, path, operation in OPERATIONS:
        statuses = set(operation["responses"])
        malformed = "400" if path.startswith("/v2") else "422"
        assert {"400", "403", "408", "431"} <= statuses, (method, path)
        if "{" in path:
            assert "404" in statuses, (method, path)
        if "requestBody" in operation:
            assert {"413", "415", malformed} <= statuses, (method, path)
        if operation.get("parameters") or path.startswith(("/api/", "/v1/")):
            assert malformed in statuses, (method, path)


def test_every_body_has_an_example() -> None:
    assert [(method, path) for method, path, operation in BODIES if not list(examples(operation))] == []


def examples(operation: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Each example of a body, as media type, value and the query that goes with it: beside JSON what forms such as
    Swagger UI's fill in themselves.
    """
    for kind, content in operation["requestBody"]["content"].items():
        values = [content["example"]] if "example" in content else resolved(content["schema"]).get("examples", [])
        parameters = {p["name"]: p["schema"] for p in operation.get("parameters", []) if p["in"] == "query"}
        if kind == "application/json":
            query = {name: schema["default"] for name, schema in parameters.items() if "default" in schema}
        else:
            query = {name: schema["examples"][0] for name, schema in parameters.items() if "examples" in schema}
        yield from ((kind, value, query) for value in values)


ORDER = ("/api/datasets", "/api/models", "/api/jobs")
"""Resources that others name in their examples come first; requests that rename come last."""


NAMED = ("/api/sweeps/rates", "/api/datasets/line", "/api/models/straight", "/api/models/straighter")


def clear(client: Client) -> None:
    """Delete what examples name, which made-up requests may have made before."""
    client.http.get("/api/sweeps/rates", headers={"Prefer": "wait=30"})
    for path in NAMED:
        assert client.http.delete(path).status_code in (204, 404)


def test_every_example_runs_in_the_order_in_which_they_build_on_each_other(client: Client) -> None:
    clear(client)
    bodies = sorted(BODIES, key=lambda body: (body[0] == "patch", ORDER.index(body[1]) if body[1] in ORDER else 9))
    for method, path, operation in bodies:
        if "{job}" in path or path.startswith(("/api/keys", "/api/sign-in")):  # keys are made for those who have one
            continue
        for kind, value, query in examples(operation):
            content = value if isinstance(value, str) else json.dumps(value)
            headers = {"Content-Type": kind, "Prefer": "wait=30"}
            answer = client.http.request(method, filled(path), params=query, content=content, headers=headers)
            assert answer.is_success, f"{method} {path} {value}: {answer.text}"
            assert answer.json().get("state", "ready") in ("ready", "succeeded")
    clear(client)


def test_every_example_of_a_change_suits_a_job_that_runs(client: Client) -> None:
    changes = [(path, value) for _, path, operation in BODIES if "{job}" in path for _, value, _ in examples(operation)]
    model = client.create_model("Chain(Dense(1 => 3, tanh), Dense(3 => 1))").id
    with endless_job(client, model, line(client).id) as job:
        for path, value in changes:
            answer = client.http.patch(path.replace("{job}", job.id), json=value)
            assert answer.is_success, f"{path} {value}: {answer.text}"
    assert changes


def filled(path: str) -> str:
    """A path with the names that the examples give."""
    return path.replace("{model}", "straight").replace("{dataset}", "line").replace("{version}", "0")
