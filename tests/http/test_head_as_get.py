"""HEAD, as monitors, link checkers and `curl -I` send it."""

import httpx
import pytest

from service.client import Client
from tests.support.training import line, straight


@pytest.fixture(scope="module")
def paths(client: Client) -> dict[str, str]:
    """Paths that GET answers, by what they are."""
    dataset, model = line(client).id, straight(client).id
    job = client.train(model, dataset, epochs=1, wait=30).id
    return {
        "liveness": "/health/live",
        "readiness of the inference protocol": "/v2/health/ready",
        "a model": f"/api/models/{model}",
        "a model of the protocols": f"/v2/models/{model}/ready",
        "a file": f"/api/datasets/{dataset}/content",
        "an export": f"/api/models/{model}/export?format=npz",
        "a stream of events": f"/api/jobs/{job}/events",
        "the page": "/",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "liveness",
        "readiness of the inference protocol",
        "a model",
        "a model of the protocols",
        "a file",
        "an export",
        "a stream of events",
        "the page",
    ],
)
def test_head_has_the_headers_of_get_and_no_body(http: httpx.Client, paths: dict[str, str], kind: str) -> None:
    head, get = http.head(paths[kind]), http.get(paths[kind])
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers.get("content-length") == get.headers.get("content-length")


def test_head_of_what_is_not_there_is_404(http: httpx.Client) -> None:
    answer = http.head("/api/models/nothing")
    assert (answer.status_code, answer.content) == (404, b"")


def test_head_is_impossible_where_get_is(http: httpx.Client) -> None:
    assert http.head("/api/models/nothing/predictions").status_code == 405
