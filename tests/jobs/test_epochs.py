"""Epoch reports: page by page from the oldest, from an epoch on, thinned, as CSV."""

import csv
import io
from typing import Any

import httpx
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.pages import walk
from tests.support.problems import pointers, problem
from tests.support.serving import wait_for
from tests.support.training import endless_job, line, straight

EPOCHS = 120


@pytest.fixture(scope="module")
def job(client: Client) -> Job:
    """A training whose loss goes up and down."""
    optimiser = {"rule": "Momentum", "eta": 0.05, "rho": 0.95}
    ended = client.train(straight(client).id, line(client).id, wait=30, epochs=EPOCHS, optimiser=optimiser)
    assert ended.state == "succeeded"
    return ended


def path(job: Job) -> str:
    return f"/api/jobs/{job.id}/epochs"


def reports(http: httpx.Client, job: Job, **query: Any) -> list[dict[str, Any]]:
    return [report for page in walk(http, path(job), **query) for report in page]


def test_there_is_a_report_of_each_epoch_and_of_the_beginning(http: httpx.Client, job: Job) -> None:
    found = reports(http, job)

    assert [report["epoch"] for report in found] == list(range(EPOCHS + 1))
    assert found[0]["train_loss"] == job.initial_loss
    assert found[-1]["train_loss"] == pytest.approx(job.final_loss, rel=1e-4)
    assert {report["validation_loss"] for report in found} == {None}
    assert {report["rate"] for report in found} == {0.05}
    assert all(report["gradient_norm"] > 0 for report in found)
    assert all(report["seconds"] >= 0 for report in found)
    assert job.started_at is not None
    assert job.ended_at is not None
    assert sum(report["seconds"] for report in found) <= (job.ended_at - job.started_at).total_seconds()
    assert job.best is not None
    assert job.best.loss == min(report["train_loss"] for report in found)


@pytest.mark.parametrize("limit", [1, 7, 120, 121, 1000, 5000])
def test_all_pages_together_hold_each_epoch_once(http: httpx.Client, job: Job, limit: int) -> None:
    pages = list(walk(http, path(job), limit=limit))
    assert [report["epoch"] for page in pages for report in page] == list(range(EPOCHS + 1))
    assert all(len(page) == min(limit, 1000) for page in pages[:-1])


def test_a_page_holds_1000_reports_at_most(client: Client) -> None:
    long = client.train(straight(client).id, line(client).id, wait=30, epochs=1100)
    for limit in (1000, 1001, 100_000):
        assert len(client.http.get(f"{path(long)}?limit={limit}").json()["items"]) == 1000


def test_reports_can_be_had_from_an_epoch_on(http: httpx.Client, job: Job) -> None:
    assert [report["epoch"] for report in reports(http, job, from_epoch=100, limit=8)] == list(range(100, 121))
    assert reports(http, job, from_epoch=121) == []


def test_next_is_null_at_the_present_end_and_more_comes_later(client: Client) -> None:
    with endless_job(client, straight(client).id, line(client).id) as running:
        seen = [report for page in walk(client.http, path(running), limit=1000) for report in page]
        last = seen[-1]["epoch"]
        assert [report["epoch"] for report in seen] == list(range(last + 1))

        wait_for(lambda: client.job(running.id).epochs_done > last)
        more = client.http.get(f"{path(running)}?from_epoch={last + 1}&limit=1").json()
        assert [report["epoch"] for report in more["items"]] == [last + 1]


@pytest.mark.parametrize("points", [2, 10, 60, 61, 500])
def test_thinning_keeps_the_peaks(http: httpx.Client, job: Job, points: int) -> None:
    everything = reports(http, job)
    page = http.get(f"{path(job)}?points={points}").json()

    assert page["next"] is None
    kept = page["items"]
    assert len(kept) <= points + 2
    assert all(report in everything for report in kept)
    assert [report["epoch"] for report in kept] == sorted({report["epoch"] for report in kept})
    losses = [report["train_loss"] for report in everything]
    assert {min(losses), max(losses)} <= {report["train_loss"] for report in kept}
    if points >= 2 * len(everything):
        assert kept == everything
    later = http.get(f"{path(job)}?points={points}&from_epoch=50").json()["items"]
    assert {min(losses[50:]), max(losses[50:])} <= {report["train_loss"] for report in later}
    assert min(report["epoch"] for report in later) >= 50


@pytest.mark.parametrize("query", ["", "?from_epoch=100", "?points=10", "?from_epoch=200"])
def test_csv_says_the_same(http: httpx.Client, job: Job, query: str) -> None:
    answer = http.get(f"{path(job)}{query}", headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    as_json = http.get(f"{path(job)}{query}{'&' if query else '?'}limit=1000").json()["items"]
    assert [{name: float(value) if value else None for name, value in row.items()} for row in rows] == as_json
    header = "epoch,train_loss,validation_loss,rate,gradient_norm,seconds"
    assert answer.text.splitlines()[0] == header


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from_epoch=-1", "from_epoch"),
        ("from_epoch=x", "from_epoch"),
        ("points=1", "points"),
        ("points=10001", "points"),
        ("after=x", "after"),
        ("limit=0", "limit"),
    ],
)
def test_what_cannot_be_is_refused(http: httpx.Client, job: Job, query: str, parameter: str) -> None:
    assert pointers(http.get(f"{path(job)}?{query}")) == [f"query/{parameter}"]


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
@pytest.mark.parametrize("query", ["", "?points=10"])
def test_a_job_that_is_not_there_has_no_epochs(http: httpx.Client, accept: str, query: str) -> None:
    problem(http.get(f"/api/jobs/job_{'0' * 26}/epochs{query}", headers={"Accept": accept}), 404)
