"""Many jobs in one stream of server-sent events."""

import base64
import re
from collections import defaultdict
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from service.client import Client
from service.errors import Invalid
from service.jobs.schemas import Job
from service.jobs.watching import cursor
from service.jobs.watching.cursor import cursor_of, positions_of
from tests.jobs.test_events import Event, parse
from tests.support.problems import pointers, problem
from tests.support.training import endless_job, line, straight

EPOCHS = (2500, 30)


def read(http: httpx.Client, jobs: list[Job], last_event_id: str | None = None, **query: Any) -> list[Event]:
    """All events up to the end of the stream."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    wanted = {"job": [job.id for job in jobs], **query}
    with http.stream("GET", "/api/events", params=wanted, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == "text/event-stream"
        return list(parse(response))


def reports_of(events: list[Event]) -> dict[str, list[Any]]:
    reports: dict[str, list[Any]] = defaultdict(list)
    for event in events:
        if event.kind == "epochs":
            reports[event.data["job"]] += event.data["items"]
    return reports


@pytest.fixture(scope="module")
def jobs(client: Client) -> list[Job]:
    model, dataset = straight(client).id, line(client).id
    return [client.train(model, dataset, wait=30, epochs=epochs) for epochs in EPOCHS]


def test_one_stream_tells_of_all_jobs_and_ends(http: httpx.Client, jobs: list[Job]) -> None:
    events = read(http, jobs, points=10_000)
    shown = [http.get(f"/api/jobs/{job.id}").json() for job in jobs]
    assert [(event.kind, event.id, event.data) for event in events[:2]] == [("state", None, job) for job in shown]
    states = [event for event in events[2:] if event.kind == "state"]
    assert sorted((event.data["id"], event.data["state"]) for event in states) == [
        (job.id, "succeeded") for job in sorted(jobs, key=lambda job: job.id)
    ]
    assert [event.id for event in states] == [None, "end"]
    assert events[-1].id == "end"
    for job, epochs in zip(jobs, EPOCHS, strict=True):
        assert [report["epoch"] for report in reports_of(events)[job.id]] == list(range(epochs + 1))


@pytest.mark.parametrize("points", [2, 3, 4, 5, 31, 100])
def test_a_flush_is_thinned_and_keeps_peaks(http: httpx.Client, jobs: list[Job], points: int) -> None:
    events = read(http, jobs, points=points)
    assert all(len(event.data["items"]) <= points for event in events if event.kind == "epochs")
    for job in jobs:
        losses = [each["train_loss"] for each in reports_of(events)[job.id]]
        everything = http.get(f"/api/jobs/{job.id}/epochs?points=10000").json()["items"]
        all_losses = [each["train_loss"] for each in everything]
        assert (min(losses), max(losses)) == (min(all_losses), max(all_losses))


def test_a_stream_goes_on_behind_any_event(http: httpx.Client, jobs: list[Job]) -> None:
    whole = read(http, jobs)
    ids = [event.id for event in whole if event.kind == "epochs"]
    assert all(id and re.fullmatch("[A-Za-z0-9_-]+", id) for id in ids)
    for place, id in enumerate(ids):
        rest = read(http, jobs[::-1], id)  # in another order
        assert [e.data for e in rest if e.kind == "epochs"] == [
            e.data for e in [e for e in whole if e.kind == "epochs"][place + 1 :]
        ]
        assert rest[-1].id == "end"


def test_after_the_end_there_is_nothing_to_come(http: httpx.Client, jobs: list[Job]) -> None:
    answer = http.get("/api/events", params={"job": jobs[0].id}, headers={"Last-Event-ID": "end"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_live_jobs_are_told_together(client: Client) -> None:
    model, dataset = straight(client).id, line(client).id
    with ExitStack() as stack:
        running = [stack.enter_context(endless_job(client, model, dataset)) for _ in range(2)]
        query = {"job": [job.id for job in running]}
        stream = parse(stack.enter_context(client.http.stream("GET", "/api/events", params=query)))
        seen: list[Event] = []
        while {event.data["job"] for event in seen if event.kind == "epochs"} != set(query["job"]):
            seen.append(next(stream))
        for job in running:
            client.cancel(job.id)
        seen += list(stream)
    for job in running:
        epochs = [each["epoch"] for each in reports_of(seen)[job.id]]
        assert epochs == sorted(set(epochs))
        assert epochs[-1] == client.job(job.id).epochs_done
    ends = [event.id for event in seen if event.kind == "state" and event.data["state"] == "cancelled"]
    assert ends == [None, "end"]


def test_a_cursor_that_was_never_sent_is_refused(http: httpx.Client, jobs: list[Job]) -> None:
    wanted = {"job": [job.id for job in jobs]}
    good = next(event.id for event in read(http, jobs) if event.kind == "epochs")
    assert good is not None
    for junk in ("", "x", "7", "END", "1 2", "=", good[:-1], good + "A", f"{good}=", good.swapcase(), "A" * 400, "é"):
        sent = httpx.Headers({"Last-Event-ID": junk}, encoding="utf-8")
        assert pointers(http.get("/api/events", params=wanted, headers=sent)) == ["header/last-event-id"], junk
    other = {"Last-Event-ID": good}
    assert pointers(http.get("/api/events", params={"job": jobs[0].id}, headers=other)) == ["header/last-event-id"]


@pytest.mark.parametrize("epochs", [b"\x01\x05", b"\x01\x05" * 3, b"\xff" + b"\x01" * 255 + b"\x01\x05", b"\x05" * 6])
def test_a_cursor_with_our_digest_and_impossible_epochs_is_refused(epochs: bytes) -> None:
    jobs = ["job_a", "job_b"]
    made = base64.urlsafe_b64encode(cursor._digest(jobs, epochs) + epochs).rstrip(b"=").decode()
    with pytest.raises(Invalid):
        positions_of(made, jobs)


def test_unknown_jobs_are_404_before_a_stream_opens(http: httpx.Client, jobs: list[Job]) -> None:
    for unknown in (f"job_{'0' * 26}", "nonsense"):
        query = {"job": [jobs[0].id, unknown]}
        for sent in ({}, {"Last-Event-ID": "end"}, {"Last-Event-ID": "junk"}):
            assert unknown in problem(http.get("/api/events", params=query, headers=sent), 404)["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "query/job"),
        ("?points=5", "query/job"),
        (f"?{'&'.join(['job=x'] * 101)}", "query/job"),
        ("?job=x&points=1", "query/points"),
        ("?job=x&points=10001", "query/points"),
        ("?job=x&points=5&points=6", "query/points"),
        ("?job=x&limit=5", "query/limit"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(http: httpx.Client, query: str, pointer: str) -> None:
    assert pointers(http.get(f"/api/events{query}")) == [pointer]


def test_a_job_that_is_named_twice_is_told_once(http: httpx.Client, jobs: list[Job]) -> None:
    assert read(http, [jobs[1], jobs[1]]) == read(http, [jobs[1]])


@pytest.mark.parametrize("epoch", [0, 1, 255, 256, 10_000_001])
def test_cursors_hold_any_epoch(epoch: int) -> None:
    positions = {"job_b": epoch, "job_a": 7}
    assert positions_of(cursor_of(positions), ["job_a", "job_b"]) == positions
