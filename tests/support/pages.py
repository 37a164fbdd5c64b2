"""Lists that are read page by page."""

from collections.abc import Iterator
from typing import Any

import httpx


def walk(http: httpx.Client, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """All pages of a list, up to the one whose `next` is null; each is asked for when it is wanted."""
    after: dict[str, str] = {}
    while True:
        answer = http.get(path, params={**query, **after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert set(page) == {"items", "next"}
        yield page["items"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}
