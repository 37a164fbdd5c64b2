"""Requests that schemathesis makes up from the OpenAPI document; to load it takes longer than most tests."""

from contextlib import nullcontext, suppress
from functools import cache
from typing import Any, Literal

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.support.document import document

Operation = APIOperation[Any, Any, Any, Any]
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431]
"""Statuses of refused requests: schemathesis does not count what is too large among them."""
CONFIG = {"seed": 1, "checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
LARGE = 1000
"""Items, members or characters of a limit that no request is made up to pass: it would be megabytes."""
SIZES = ("maxItems", "maxProperties", "maxLength")
EXAMPLES = 3
"""Requests of each kind and operation; `make fuzz` sends thousands."""
FEW_EPOCHS = 20


def without_large_limits(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_large_limits(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    large = {name for name in SIZES if isinstance(schema.get(name), int) and schema[name] >= LARGE}
    return {name: without_large_limits(each) for name, each in schema.items() if name not in large}


@cache
def _schema() -> BaseSchema:
    config = SchemathesisConfig.from_dict(CONFIG)
    return schemathesis.openapi.from_dict(without_large_limits(document()), config=config)


def check(method: str, path: str, kind: Literal["positive", "negative"], url: str, known: dict[str, Any]) -> None:
    """Send a service a few requests of one operation, and check its answers; `known` are values for names."""
    operation, mode = _schema()[path][method], GenerationMode(kind)

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy(generation_mode=mode))
    def run(case: Case[Any]) -> None:
        if operation.method != "delete":
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
        if isinstance(case.body, dict) and mode == GenerationMode.POSITIVE:
            case.body |= {name: known[name] for name in known.keys() & case.body.keys()}
            if "epochs" in case.body:
                case.body["epochs"] = FEW_EPOCHS
        case.call_and_validate(base_url=url, excluded_checks=_excluded(operation))

    # where nothing about a request can be wrong, none that is can be made up
    with suppress(Unsatisfiable) if mode == GenerationMode.NEGATIVE else nullcontext():
        run()


def _excluded(operation: Operation) -> list[CheckFunction]:
    """Checks that would blame what is right."""
    # What is valid by its shape may be impossible all the same (lengths that differ, parts that overlap), and is then a
    # declared 422. That valid requests succeed is for the document's examples to show.
    checks: list[CheckFunction] = [positive_data_acceptance]
    if any(parameter.name == "prefer" for parameter in operation.headers):
        checks.append(negative_data_rejection)  # RFC 7240: a preference that is not understood is ignored
    return checks
