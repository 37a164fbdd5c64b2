"""A job as server-sent events, read by the rules of the standard."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from threading import Barrier
from typing import Any

import httpx
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import pointers, problem
from tests.support.serving import PATIENCE
from tests.support.training import endless_job, line, straight

EPOCHS = 2500
"""More than one event holds."""


@dataclass(frozen=True)
class Event:
    kind: str
    id: str | None
    data: Any

    @property
    def epochs(self) -> list[int]:
        return [report["epoch"] for report in self.data.get("items", ())]


def parse(response: httpx.Response) -> Iterator[Event]:
    """Events of a stream: fields line by line, an empty line dispatches, a colon first makes a comment."""
    fields: dict[str, str] = {}
    for line_ in response.iter_lines():
        if line_ == "":
            if "data" in fields:
                yield Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
            fields = {}
        elif not line_.startswith(":"):
            name, _, value = line_.partition(":")
            fields[name] = fields[name] + "\n" + value if name in fields else value.removeprefix(" ")
    assert fields == {}, "the stream ends between two events"


def events(http: httpx.Client, job: Job, last_event_id: str | None = None) -> list[Event]:
    """All events up to the end of the stream."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with http.stream("GET", f"/api/jobs/{job.id}/events", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert response.headers["cache-control"] == "no-cache"
        return list(parse(response))


@pytest.fixture(scope="module")
def job(client: Client) -> Job:
    ended = client.train(straight(client).id, line(client).id, wait=30, epochs=EPOCHS)
    assert ended.state == "succeeded"
    return ended


def test_the_stream_of_an_ended_job_tells_it_all(http: httpx.Client, job: Job) -> None:
    first, *middle, last = events(http, job)

    shown = http.get(f"/api/jobs/{job.id}").json()
    assert (first.kind, first.id, first.data) == ("state", None, shown)
    assert (last.kind, last.id, last.data) == ("state", "end", shown)
    assert len(middle) > 1
    assert {event.kind for event in middle} == {"epochs"}
    assert [event.id for event in middle] == [str(event.epochs[-1]) for event in middle]
    reports = [report for event in middle for report in event.data["items"]]
    assert [report["epoch"] for report in reports] == list(range(EPOCHS + 1))
    assert reports[:1000] == http.get(f"/api/jobs/{job.id}/epochs?limit=1000").json()["items"]


@pytest.mark.parametrize("seen", [0, 1, 999, 1000, EPOCHS - 1])
def test_a_stream_goes_on_behind_what_was_seen(http: httpx.Client, job: Job, seen: int) -> None:
    first, *middle, last = events(http, job, str(seen))
    assert (first.kind, first.id, last.id) == ("state", None, "end")
    assert [epoch for event in middle for epoch in event.epochs] == list(range(seen + 1, EPOCHS + 1))


def test_who_has_seen_all_epochs_still_hears_of_the_end(http: httpx.Client, job: Job) -> None:
    first, last = events(http, job, str(EPOCHS))
    assert (first.data["state"], last.data["state"], last.id) == ("succeeded", "succeeded", "end")


def test_who_has_seen_the_end_is_told_not_to_come_again(http: httpx.Client, job: Job) -> None:
    answer = http.get(f"/api/jobs/{job.id}/events", headers={"Last-Event-ID": "end"})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("junk", ["", "x", "-1", "1.5", "END", "1e3", "0x1", "9" * 30, "1 2"])
def test_an_id_that_was_never_sent_is_refused(http: httpx.Client, job: Job, junk: str) -> None:
    answer = http.get(f"/api/jobs/{job.id}/events", headers={"Last-Event-ID": junk})
    assert pointers(answer) == ["header/last-event-id"]


@pytest.mark.parametrize("last_event_id", [None, "3", "end", "junk"])
def test_a_job_that_is_not_there_is_404_before_a_stream_opens(http: httpx.Client, last_event_id: str | None) -> None:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    problem(http.get(f"/api/jobs/job_{'0' * 26}/events", headers=headers), 404)


def test_epochs_come_while_the_job_runs_and_its_end_when_it_ends(client: Client) -> None:
    with (
        endless_job(client, straight(client).id, line(client).id, running=False) as running,
        client.http.stream("GET", f"/api/jobs/{running.id}/events") as response,
    ):
        stream = parse(response)
        first = next(stream)
        assert (first.kind, first.id) == ("state", None)
        assert first.data["state"] in ("queued", "running")
        live = [next(stream) for _ in range(3)]
        assert {(event.kind, event.data.get("state")) for event in live} <= {("epochs", None), ("state", "running")}

        client.cancel(running.id)
        *rest, last = stream

    epochs = [epoch for event in (*live, *rest) for epoch in event.epochs]
    assert epochs == list(range(len(epochs)))
    assert (last.kind, last.id, last.data["state"]) == ("state", "end", "cancelled")
    assert last.data["epochs_done"] == epochs[-1]


def test_many_can_watch_one_job(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running, ThreadPoolExecutor() as threads:

        def watch(_: int) -> list[int]:
            with client.http.stream("GET", f"/api/jobs/{running.id}/events") as response:
                stream = parse(response)
                assert next(stream).data["state"] == "running"
                all_watch.wait(timeout=PATIENCE)
                middle = takewhile(lambda event: event.kind == "epochs", stream)
                return [epoch for event in middle for epoch in event.epochs]

        all_watch = Barrier(5)
        watches = [threads.submit(watch, number) for number in range(4)]
        all_watch.wait(timeout=PATIENCE)
        client.cancel(running.id)
        seen = [watching.result(timeout=PATIENCE) for watching in watches]

    assert all(epochs == seen[0] for epochs in seen)
    assert seen[0] == list(range(client.job(running.id).epochs_done + 1))
