"""Headers and examples of answers in an OpenAPI document."""

import json
from collections.abc import Iterator
from pathlib import Path

from service.http.json_numbers import JsonObject

EXAMPLES = Path(__file__).with_name("examples.json")
"""An answer of each operation that answers JSON, by operationId and status; `make examples` writes it."""

TEXT = {"type": "string"}
LOCATION = {"description": "the address of what was created", "schema": TEXT, "example": "/api/models/straight"}
RETRY_AFTER = {"description": "seconds to wait before the next try", "schema": {"type": "integer"}, "example": 1}
APPLIED = {"description": "the wait that `Prefer` asked for, cut to 60", "schema": TEXT, "example": "wait=10"}
REPLAYED = {"description": "`true`: `Idempotency-Key` was used before, and this is the answer of then", "schema": TEXT}


def describe_answers(document: JsonObject) -> None:
    """Declare the headers that answers of a kind have, and show an example of every JSON answer."""
    examples = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                headers = dict(_headers(operation, status))
                if headers:
                    answer["headers"] = headers | answer.get("headers", {})
                example = examples.get(operation["operationId"], {}).get(status)
                if example is not None:
                    answer["content"]["application/json"]["example"] = example


def _headers(operation: JsonObject, status: str) -> Iterator[tuple[str, JsonObject]]:
    takes = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
    if status in ("201", "202"):
        yield "Location", LOCATION
        if "idempotency-key" in takes:
            yield "Idempotent-Replayed", REPLAYED
    if status in ("202", "429", "503"):
        yield "Retry-After", RETRY_AFTER
    if status in ("200", "202") and "prefer" in takes:
        yield "Preference-Applied", APPLIED
