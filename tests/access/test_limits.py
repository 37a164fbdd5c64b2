"""Owners have limits of their own; what is above them is 429, and says when there is room again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.responses import Response

from service.access.limits import OwnerLimits, Pace
from service.database.caller import Caller, acting_for
from tests.support.keys import mint
from tests.support.problems import problem
from tests.support.serving import http_client, running_service, wait_for


def test_an_owner_has_the_requests_of_a_second_at_once_then_one_by_one() -> None:
    pace = Pace(4)
    assert [pace.take("ada", 10.0).left for _ in range(4)] == [3, 2, 1, 0]
    refused = pace.take("ada", 10.0)
    assert (refused.left, round(refused.wait, 9)) == (0, 0.25)
    assert pace.take("ben", 10.0) == (3, 0)
    assert pace.take("ada", 10.25) == (0, 0)
    assert pace.take("ada", 10.25).wait
    assert pace.take("ada", 12.0) == (3, 0)


@pytest.fixture
def ben(folder: Path) -> Iterator[httpx.Client]:
    """A client of a service with limits."""
    folder.mkdir()
    key = mint(folder, "ben", scope="train")
    limits = {"DESCENT_MAX_STREAMS": "1", "DESCENT_MAX_QUEUED_JOBS": "2"}
    with running_service(folder, "--workers", "1", **limits) as service, http_client(service.url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


def test_an_owner_that_sends_too_much_is_429_and_others_are_not() -> None:
    limited = OwnerLimits(Response(), requests=1, streams=None)

    async def answers() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(limited), base_url="http://localhost") as http:
            found = []
            for owner in ("ada", "ada", "ben", ""):  # the last is of requests that need no key
                with acting_for(Caller(owner)):
                    found.append(await http.get("/"))
            return found

    first, second, others, free = asyncio.run(answers())
    assert [each.status_code for each in (first, second, others, free)] == [200, 429, 200, 200]
    assert (first.headers["RateLimit-Limit"], first.headers["RateLimit-Remaining"]) == ("1", "0")
    assert problem(second, 429)["code"] == "too_many_requests"
    assert int(second.headers["Retry-After"]) >= 1
    assert "RateLimit-Limit" not in free.headers


ENDLESS = {"model": "m", "dataset": "d", "epochs": 10_000_000, "path": "batches"}


def test_an_owner_has_so_many_streams_open_and_jobs_waiting(ben: httpx.Client) -> None:
    ben.post("/api/datasets", json={"name": "d", "columns": {"x": [0, 1], "y": [0, 1]}, "targets": ["y"]})
    ben.post("/api/models", json={"name": "m", "architecture": "Dense(1 => 1)"})
    answers = [ben.post("/api/jobs", json=ENDLESS) for _ in range(4)]  # one of them may have the worker
    assert {each.status_code for each in answers[:2]} == {202}
    assert problem(answers[3], 429)["code"] == "too_many_jobs"
    jobs = [each.json()["id"] for each in answers if each.status_code == 202]
    with ben.stream("GET", f"/api/jobs/{jobs[0]}/events") as events:
        lines = events.iter_lines()  # held: a generator that is forgotten closes the stream
        assert next(lines) == "event: state"
        refused = problem(ben.get(f"/api/jobs/{jobs[0]}/events"), 429)
        assert "DESCENT_MAX_STREAMS" in refused["detail"]
    wait_for(lambda: ben.head(f"/api/jobs/{jobs[0]}/events").status_code == 200)
    for job in jobs:
        ben.post(f"/api/jobs/{job}/cancel").raise_for_status()
