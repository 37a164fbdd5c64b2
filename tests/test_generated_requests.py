"""Requests that are made up from the OpenAPI document: each gets an answer that the document declares."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from tests.support.document import document
from tests.support.serving import RunningService, running_service
from tests.support.training import line, straight

TOO_MANY: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v2/models/{model}/infer", {"inputs": 10_001 * [{}]}),
    ("POST", "/api/datasets", {"targets": 4097 * ["y"], "columns": {"y": [1]}}),
    ("POST", "/api/models", {"architecture": "Dense", "parameters": 10_001 * [{}]}),
    ("PUT", "/api/models/{model}/parameters", {"layers": 10_001 * [{}]}),
    ("POST", "/api/jobs", {"frozen": 1001 * ["layers.0"]}),
    ("PATCH", "/api/jobs/{job}", {"frozen": 1001 * ["layers.0"]}),
]
"""Lists with one item more than the document allows, where that is large."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of its own: what is made up may be anything."""
    with running_service(tmp_path_factory.mktemp("generated")) as service:
        yield service


@pytest.fixture(scope="module")
def known(target: RunningService) -> dict[str, Any]:
    """Existing ids, by the names of parameters and fields that may hold them."""
    with target.client() as client:
        dataset = line(client, split={"test": {"last": 2}})
        model = straight(client)
        job = client.train(model.id, dataset.id, wait=30)
        evaluation = client.evaluate(model.id, dataset.id)
    return {"model": model.id, "dataset": dataset.id, "job": job.id, "evaluation": evaluation.id}


def test_lists_of_more_than_the_document_allows_are_refused(target: RunningService, known: dict[str, Any]) -> None:
    with target.client() as client:
        answers = [client.http.request(method, path.format_map(known), json=body) for method, path, body in TOO_MANY]
    for answer, (_, _, body) in zip(answers, TOO_MANY, strict=True):
        assert 400 <= answer.status_code < 500
        most = max(len(value) for value in body.values() if isinstance(value, list)) - 1
        assert f"at most {most} items" in answer.json()["detail"]


def can_be_wrong(operation: dict[str, Any]) -> bool:
    """Whether a request can be: a path of names takes any text, and hundreds would be made up in vain."""
    parameters = operation.get("parameters", [])
    types = [each["schema"].get("type") for each in parameters if each["in"] == "path"]
    has_query = any(each["in"] == "query" for each in parameters)
    return bool("requestBody" in operation or has_query or set(types) - {"string"})


KINDS = [
    pytest.param(method, path, kind, id=f"{method.upper()} {path}-{kind}")
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
    for kind in ("positive", "negative")
    if kind == "positive" or can_be_wrong(operation)
]


@pytest.mark.parametrize(("method", "path", "kind"), KINDS)
def test_every_answer_is_declared(
    method: str, path: str, kind: Literal["positive", "negative"], target: RunningService, known: dict[str, Any]
) -> None:
    from tests.support.made_up_requests import check  # here: every process of tests would load schemathesis otherwise

    check(method, path, kind, target.url, known)
