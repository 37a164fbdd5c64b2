"""What all endpoints share: probes, pages, times, ids."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.pages import walk
from tests.problems import pointers, problem
from tests.serving import wait_for
from tests.training import line, straight

NOUNS = ["datasets", "models", "jobs"]
PREFIXES = {"datasets": "ds", "models": "mdl", "jobs": "job"}
Create = Callable[[str], str]


@pytest.fixture(scope="module")
def create(client: Client) -> Create:
    """Makes one more of a noun and gives its id."""
    model, dataset = straight(client).id, line(client).id

    def make(noun: str) -> str:
        match noun:
            case "datasets":
                return line(client).id
            case "models":
                return straight(client).id
            case _:
                return client.train(model, dataset, epochs=1).id

    return make


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
def test_a_walk_through_all_pages_meets_each_item_once_while_more_are_added(
    http: httpx.Client, create: Create, noun: str
) -> None:
    before = [create(noun) for _ in range(7)]
    seen: list[str] = []
    for page in walk(http, f"/api/{noun}", limit=3):
        seen += [item["id"] for item in page]
        create(noun)

    assert [id for id in seen if id in before] == before[::-1]
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("noun", ["datasets", "models"])
def test_a_walk_goes_on_where_an_item_was_deleted(http: httpx.Client, create: Create, noun: str) -> None:
    oldest, middle, newest = (create(noun) for _ in range(3))
    pages = walk(http, f"/api/{noun}", limit=2)
    assert [item["id"] for item in next(pages)] == [newest, middle]
    http.delete(f"/api/{noun}/{middle}")
    assert next(pages)[0]["id"] == oldest


@pytest.mark.parametrize("noun", NOUNS)
def test_a_page_holds_50_items_unless_told_otherwise(http: httpx.Client, create: Create, noun: str) -> None:
    def ids(query: str) -> list[str]:
        answer = http.get(f"/api/{noun}{query}")
        assert answer.status_code == 200
        return [item["id"] for item in answer.json()["items"]]

    while len(ids("")) < 50:
        create(noun)
    create(noun)
    everything = ids("?limit=1000")
    assert ids("") == everything[:50]
    assert ids("?limit=10") == ids("?limit=0010") == everything[:10]
    for larger in ("1001", "99999", "9" * 5000):
        assert ids(f"?limit={larger}") == everything


@pytest.mark.parametrize("noun", NOUNS)
def test_cursors_are_plain_words_and_others_are_refused(http: httpx.Client, create: Create, noun: str) -> None:
    create(noun)
    create(noun)
    cursor = http.get(f"/api/{noun}?limit=1").json()["next"]
    assert re.fullmatch("[A-Za-z0-9_-]+", cursor)
    for junk in ("", "0", cursor[:-1], cursor + "0", cursor.upper(), f" {cursor}", "%00", "'"):
        assert pointers(http.get(f"/api/{noun}?limit=1&after={junk}")) == ["query/after"]


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
    assert {"GET", "POST"} >= set(refused.headers["allow"].replace(" ", "").split(","))
