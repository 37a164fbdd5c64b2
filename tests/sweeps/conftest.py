"""A dataset with a validation part, and sweeps over it."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

DATASET = {
    "columns": {"x": [i / 20 for i in range(40)], "y": [4 * i / 20 + 2 for i in range(40)]},
    "targets": ["y"],
    "split": {"validation": {"last": 8}},
}


@pytest.fixture(scope="session")
def line(http: httpx.Client) -> str:
    """The id of a dataset."""
    return str(http.post("/api/datasets", json=DATASET).raise_for_status().json()["id"])


@pytest.fixture
def straight(http: httpx.Client) -> str:
    """The name of a new model."""
    name = f"straight-{uuid.uuid4().hex[:8]}"
    http.post("/api/models", json={"name": name, "architecture": "Dense(1 => 1)"}).raise_for_status()
    return name


Sweep = Callable[..., dict[str, Any]]


@pytest.fixture
def sweep(http: httpx.Client, line: str) -> Sweep:
    """Post a sweep and wait for its end."""

    def run(**fields: Any) -> dict[str, Any]:
        made = http.post("/api/sweeps", json={"dataset": line, **fields})
        assert made.status_code == 202, made.text
        ended = http.get(made.headers["Location"], headers={"Prefer": "wait=60"})
        assert ended.json()["ended_at"] is not None
        found: dict[str, Any] = ended.json()
        return found

    return run
