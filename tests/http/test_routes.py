"""The common ground of all endpoints: probes, times, ids."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.nouns import NOUNS, Create, creating
from tests.support.problems import problem
from tests.support.serving import wait_for

PREFIXES = {"datasets": "ds", "models": "mdl", "jobs": "job"}


@pytest.fixture(scope="module")
def create(client: Client) -> Create:
    return creating(client)


def test_a_process_that_lives_says_so(http: httpx.Client) -> None:
    answer = http.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "live"})


def test_a_service_is_ready_once_its_engine_is(http: httpx.Client) -> None:
    def ready() -> bool:
        answer = http.get("/health/ready")
        if answer.status_code == 200:
            return bool(answer.json() == {"status": "ready"})
        assert problem(answer, 503)["code"] == "engine_starting"
        assert int(answer.headers["retry-after"]) > 0
        return False

    wait_for(ready)


@pytest.mark.parametrize("noun", NOUNS)
def test_ids_have_a_prefix_and_sort_by_age(http: httpx.Client, create: Create, noun: str) -> None:
    made = [create(noun) for _ in range(5)]
    assert made == sorted(made)
    assert all(re.fullmatch(f"{PREFIXES[noun]}_[0-9a-z]{{26}}", id) for id in made)


def times(value: Any) -> list[str]:
    if isinstance(value, list):
        return [time for item in value for time in times(item)]
    if isinstance(value, dict):
        own = [item for name, item in value.items() if name.endswith("_at") and item is not None]
        return own + [time for item in value.values() for time in times(item)]
    return []


@pytest.mark.parametrize("noun", NOUNS)
def test_times_are_rfc_3339_in_utc(http: httpx.Client, create: Create, noun: str) -> None:
    create(noun)
    found = times(http.get(f"/api/{noun}").json())
    assert found
    for time in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", time)
        assert datetime.fromisoformat(time).utcoffset() == timedelta(0)


@pytest.mark.parametrize("noun", ["datasets", "models"])
def test_of_many_who_want_one_name_at_once_one_gets_it(http: httpx.Client, noun: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "datasets": {"columns": {"x": [1], "y": [2]}, "targets": ["y"]},
        "models": {"architecture": "Dense(1 => 1)"},
    }
    body = {**bodies[noun], "name": "wanted"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: http.post(f"/api/{noun}", json=body), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert http.delete(f"/api/{noun}/wanted").status_code == 204


def test_what_is_not_there_in_any_place_is_a_problem(http: httpx.Client) -> None:
    for path in ("/nothing", "/api", "/api/models/a/b", "/docs/nothing", "/v9"):
        detail = problem(http.get(path), 404)
        assert detail["instance"] == path
    refused = http.request("DELETE", "/api/models")
    assert problem(refused, 405)["code"] == "method_not_allowed"
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/models/any", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/v2/models/any/infer", "OPTIONS, POST"),
        ("/", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_answers_which_methods_there_are(http: httpx.Client, path: str, methods: str) -> None:
    answer = http.options(path)
    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, methods, b"")
