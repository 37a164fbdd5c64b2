"""Whole numbers in JSON bodies: 3.0 is 3, as JSON Schema has it; fractions, texts and booleans are none."""

from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.training import LINE, line, straight

STEP = {"name": "Step", "start": 0.1, "decay": 0.5, "step_sizes": 10}
RECIPES: list[dict[str, Any]] = [
    {"epochs": 5},
    {"seed": 7},
    {"batch_size": 2},
    {"priority": -3},
    {"max_attempts": 2},
    {"from_version": 0},
    {"epochs": 4, "keep_every": 2},
    {"backoff": {"tries": 2}},
    {"early_stopping": {"monitor": "train_loss", "patience": 3}},
    {"schedule": STEP},
    {"schedule": {**STEP, "step_sizes": [10, 20]}},
    {"schedule": {"name": "Loop", "cycle": STEP, "period": 30}},
    {"optimiser": {"rule": "OptimiserChain", "rules": [{"rule": "AccumGrad", "n": 2}, {"rule": "Descent"}]}},
]
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/api/datasets?validate_only=true", {**LINE, "split": {"test": {"last": 2}, "seed": 3}}),
    ("/api/models", {"layers": [{"type": "Dense", "in": 1, "out": 2}, {"type": "LayerNorm", "size": 2}], "seed": 3}),
    ("/api/models", {"from": {"model": "{model}", "version": 0}}),
    ("/api/models/{model}/evaluations", {"dataset": "{dataset}", "part": "train", "version": 0, "residuals": 1}),
    (
        "/v2/models/{model}/infer",
        {
            "inputs": [{"name": "inputs", "shape": [2, 1], "datatype": "FP32", "data": [6, 7]}],
            "outputs": [{"name": "outputs", "parameters": {"classification": 1}}],
        },
    ),
    *(("/api/jobs?validate_only=true", {"model": "{model}", "dataset": "{dataset}", **recipe}) for recipe in RECIPES),
]


def changed(value: Any, number: Any, known: dict[str, str]) -> Any:
    """The body with every integer passed through `number`, and the ids of what is there."""
    if isinstance(value, dict):
        return {name: changed(item, number, known) for name, item in value.items()}
    if isinstance(value, list):
        return [changed(item, number, known) for item in value]
    return number(value) if type(value) is int else value.format_map(known) if isinstance(value, str) else value


@pytest.mark.parametrize(("path", "body"), BODIES)
def test_whole_numbers_may_have_a_point(path: str, body: dict[str, Any], client: Client, http: httpx.Client) -> None:
    known = {"model": straight(client).id, "dataset": line(client).id}
    path = path.format_map(known)
    plain = http.post(path, json=changed(body, int, known))
    assert plain.is_success, plain.text
    pointed = http.post(path, json=changed(body, float, known))
    assert pointed.is_success, pointed.text
    assert pointed.json().get("recipe") == plain.json().get("recipe")


@pytest.mark.parametrize("none", [2.5, "2", True, [2]])
@pytest.mark.parametrize("field", ["epochs", "seed", "batch_size", "from_version", "priority", "keep_every"])
def test_fractions_texts_and_booleans_are_no_whole_numbers(
    field: str, none: Any, client: Client, http: httpx.Client
) -> None:
    body = {"model": straight(client).id, "dataset": line(client).id, field: none}
    refused = http.post("/api/jobs?validate_only=true", json=body)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"pointer": f"#/{field}", "detail": "this is not a whole number"}]


def test_the_served_version_may_have_a_point(client: Client, http: httpx.Client) -> None:
    model = straight(client).id
    assert http.patch(f"/api/models/{model}", json={"serving": 0.0}).json()["serving"] == 0
    for none in (0.5, "0", False):
        assert http.patch(f"/api/models/{model}", json={"serving": none}).status_code == 422
