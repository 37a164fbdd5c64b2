"""Requests that schemathesis makes up from the OpenAPI document: each gets an answer that the document declares."""

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.support.document import document
from tests.support.serving import RunningService, running_service
from tests.support.training import line, straight

Operation = APIOperation[Any, Any, Any, Any]
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431]
"""Statuses of refused requests: schemathesis does not count what is too large among them."""
CONFIG = {"seed": 1, "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
LARGE = 1000
"""Items, members or characters of a limit that no request is made up to pass: it would be megabytes."""
SIZES = ("maxItems", "maxProperties", "maxLength")


def without_large_limits(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_large_limits(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    large = {name for name in SIZES if isinstance(schema.get(name), int) and schema[name] >= LARGE}
    return {name: without_large_limits(each) for name, each in schema.items() if name not in large}


SCHEMA = schemathesis.openapi.from_dict(without_large_limits(document()), config=SchemathesisConfig.from_dict(CONFIG))
OPERATIONS: list[Operation] = [result.ok() for result in SCHEMA.get_all_operations() if isinstance(result, Ok)]
EXAMPLES = 3
"""Requests of each kind and operation; `make fuzz` sends thousands."""
FEW_EPOCHS = 20


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


TOO_MANY: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v2/models/{model}/infer", {"inputs": 10_001 * [{}]}),
    ("POST", "/api/datasets", {"targets": 4097 * ["y"], "columns": {"y": [1]}}),
    ("POST", "/api/models", {"architecture": "Dense", "parameters": 10_001 * [{}]}),
    ("PUT", "/api/models/{model}/parameters", {"layers": 10_001 * [{}]}),
    ("POST", "/api/jobs", {"frozen": 1001 * ["layers.0"]}),
    ("PATCH", "/api/jobs/{job}", {"frozen": 1001 * ["layers.0"]}),
]
"""Lists with one item more than the document allows, where that is large."""


def test_lists_of_more_than_the_document_allows_are_refused(target: RunningService, known: dict[str, Any]) -> None:
    with target.client() as client:
        answers = [client.http.request(method, path.format_map(known), json=body) for method, path, body in TOO_MANY]
    for answer, (_, _, body) in zip(answers, TOO_MANY, strict=True):
        assert 400 <= answer.status_code < 500
        most = max(len(value) for value in body.values() if isinstance(value, list)) - 1
        assert f"at most {most} items" in answer.json()["detail"]


def can_be_wrong(operation: Operation) -> bool:
    """Whether a request can be: a path of names takes any text, and hundreds would be made up in vain."""
    types = [parameter.definition["schema"].get("type") for parameter in operation.path_parameters]
    return bool(operation.body or operation.query or set(types) - {"string"})


KINDS = [
    pytest.param(operation, mode, id=f"{operation.label}-{mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    if mode == GenerationMode.POSITIVE or can_be_wrong(operation)
]


@pytest.mark.parametrize(("operation", "mode"), KINDS)
def test_every_answer_is_declared(
    operation: Operation, mode: GenerationMode, target: RunningService, known: dict[str, Any]
) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def run(case: Case[Any]) -> None:
        if operation.method != "delete":
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
        if isinstance(case.body, dict) and mode == GenerationMode.POSITIVE:
            case.body |= {name: known[name] for name in known.keys() & case.body.keys()}
            if "epochs" in case.body:
                case.body["epochs"] = FEW_EPOCHS
        case.call_and_validate(base_url=target.url, excluded_checks=excluded(operation))

    # where nothing about a request can be wrong, none that is can be made up
    with suppress(Unsatisfiable) if mode == GenerationMode.NEGATIVE else nullcontext():
        run()


def excluded(operation: Operation) -> list[CheckFunction]:
    """Checks that would blame what is right."""
    # What is valid by its shape may be impossible all the same (lengths that differ, parts that overlap), and is then a
    # declared 422. That valid requests succeed is for the document's examples to show.
    checks: list[CheckFunction] = [positive_data_acceptance]
    if any(parameter.name == "prefer" for parameter in operation.headers):
        checks.append(negative_data_rejection)  # RFC 7240: a preference that is not understood is ignored
    return checks
