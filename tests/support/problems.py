"""Checks of answers that refuse a request."""

from typing import Any

import httpx


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem that `response` must be."""
    assert response.status_code == status, response.text
    foreign = response.request.url.path.startswith(("/v1/", "/v2/"))
    assert response.headers["content-type"] == ("application/json" if foreign else "application/problem+json")
    answer: dict[str, Any] = response.json()
    members = {"type", "title", "status", "detail", "instance", "code", "errors"}
    if foreign:
        assert answer["error"] == answer["detail"]
        members |= {"error"}
    assert members == set(answer)
    assert answer["status"] == status
    assert "Traceback" not in response.text
    assert "NaN" not in response.text
    return answer


def pointers(response: httpx.Response) -> list[str]:
    """The pointers of a 422's faults."""
    return [error["pointer"] for error in problem(response, 422)["errors"]]
