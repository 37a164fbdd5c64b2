"""A POST with an `Idempotency-Key` may be sent again."""

import threading
import uuid
from typing import Any

import httpx
import pytest

from service.errors import Conflict
from service.idempotency.creation import KeysInFlight
from tests.support.serving import http_client

MODEL = {"architecture": "Dense(1 => 1)"}
DATA = {"columns": {"x": [0, 1], "y": [2, 6]}, "targets": ["y"]}


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


@pytest.fixture(scope="module")
def bodies(http: httpx.Client) -> dict[str, Any]:
    """The body to send to each address that creates."""
    model, dataset = (
        http.post("/api/models", json=MODEL).json()["id"],
        http.post("/api/datasets", json=DATA).json()["id"],
    )
    return {
        "/api/models": MODEL,
        "/api/datasets": DATA,
        f"/api/models/{model}/evaluations": {"dataset": dataset, "part": "train"},
        "/api/jobs": {"model": model, "dataset": dataset, "epochs": 1},
    }


def test_the_same_request_is_done_once_and_answered_alike(http: httpx.Client, bodies: dict[str, Any]) -> None:
    for path, body in bodies.items():
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        first, second = (http.post(path, json=body, headers=headers) for _ in range(2))
        assert first.is_success, first.text
        assert (second.status_code, second.content) == (first.status_code, first.content)
        assert second.headers["location"] == first.headers["location"]
        assert second.headers["idempotent-replayed"] == "true"
        assert http.post(path, json=body).json()["id"] != first.json()["id"]


def test_the_same_key_for_another_request_is_422(http: httpx.Client, key: dict[str, str]) -> None:
    http.post("/api/models", json=MODEL, headers=key)
    answer = http.post("/api/models", json={**MODEL, "seed": 1}, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert answer.json()["errors"][0]["pointer"] == "header/idempotency-key"


def test_a_request_that_failed_may_be_corrected_under_its_key(http: httpx.Client, key: dict[str, str]) -> None:
    assert http.post("/api/models", json={"architecture": "Dense("}, headers=key).status_code == 422
    assert http.post("/api/models", json=MODEL, headers=key).status_code == 201


def test_one_of_many_at_once_creates(http: httpx.Client, key: dict[str, str]) -> None:
    statuses: list[int] = []
    ids: set[str] = set()

    def send() -> None:
        with http_client(str(http.base_url)) as own:
            answer = own.post("/api/models", json=MODEL, headers=key)
        statuses.append(answer.status_code)
        if answer.status_code == 201:
            ids.add(answer.json()["id"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 1
    assert set(statuses) <= {201, 409}


def test_a_key_that_is_in_flight_is_a_conflict() -> None:
    keys = KeysInFlight()
    with keys.hold("a"), pytest.raises(Conflict), keys.hold("a"):
        pass
    with keys.hold("a"):
        pass
