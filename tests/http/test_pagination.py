"""Lists come in pages, from the newest item on, and continue at a cursor."""

import re

import httpx
import pytest

from service.client import Client
from tests.support.nouns import NOUNS, Create, creating
from tests.support.pages import walk
from tests.support.problems import pointers


@pytest.fixture(scope="module")
def create(client: Client) -> Create:
    return creating(client)


@pytest.mark.parametrize("noun", NOUNS)
def test_pages_hold_each_item_once_while_more_are_added(http: httpx.Client, create: Create, noun: str) -> None:
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
