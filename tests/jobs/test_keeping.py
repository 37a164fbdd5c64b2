"""`keep_every`: parameters that a job keeps on its way, and jobs and models that begin from them."""

from typing import Any

import httpx
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

RATE = {"rule": "Descent", "eta": 0.05}


@pytest.fixture(scope="module")
def job(client: Client) -> Job:
    """Twelve epochs on the line, every third kept."""
    ended = client.train(straight(client).id, line(client).id, wait=30, epochs=12, keep_every=3, optimiser=RATE)
    assert (ended.state, ended.version) == ("succeeded", 1)
    return ended


def body(job: Job, **changes: Any) -> dict[str, Any]:
    return {"model": job.model, "dataset": job.dataset, "epochs": 3, "optimiser": RATE, **changes}


def test_a_job_goes_on_from_an_epoch_that_another_one_kept(client: Client, job: Job) -> None:
    reports = {report.epoch: report.train_loss for report in client.epochs(job.id)}
    forked = client.http.post("/api/jobs", json=body(job, from_epoch=6), headers={"Prefer": "wait=30"}).json()

    assert (forked["recipe"]["from_version"], forked["recipe"]["from_epoch"]) == (1, 6)
    assert forked["initial_loss"] == pytest.approx(reports[6], rel=1e-5)
    assert forked["final_loss"] == pytest.approx(reports[9], rel=1e-5)


def test_jobs_say_that_they_begin_from_a_whole_version(job: Job) -> None:
    assert (job.recipe["from_version"], job.recipe["from_epoch"], job.recipe["keep_every"]) == (0, None, 3)


@pytest.mark.parametrize("begin", [{"from_epoch": 7}, {"from_epoch": 15}, {"from_version": 0, "from_epoch": 3}])
def test_an_epoch_that_was_not_kept_is_not_found(client: Client, job: Job, begin: dict[str, int]) -> None:
    answer = problem(client.http.post("/api/jobs", json=body(job, **{"from_version": 1, **begin})), 404)
    assert (answer["code"], answer["errors"][0]["pointer"]) == ("epoch_not_kept", "#/from_epoch")


def test_what_is_not_there_is_answered_with_what_is(client: Client, job: Job) -> None:
    def detail(query: str) -> str:
        return str(problem(client.http.get(f"/api/models/{job.model}/parameters?{query}"), 404)["detail"])

    assert "those of 3, 6, 9, 12 were" in detail("version=1&epoch=7")
    assert "kept none (`keep_every`)" in detail("version=0&epoch=3")
    assert "no version 2000 of this model: the latest is " in detail("version=2000")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"keep_every": 0}, "#/keep_every"),
        ({"keep_every": 1.5}, "#/keep_every"),
        ({"keep_every": True}, "#/keep_every"),
        ({"keep_every": 1, "epochs": 1001}, "#/keep_every"),
        ({"from_epoch": 0}, "#/from_epoch"),
        ({"from_epoch": "6"}, "#/from_epoch"),
    ],
)
def test_what_cannot_be_kept_or_begun_from_is_refused(
    client: Client, job: Job, changes: dict[str, Any], pointer: str
) -> None:
    assert pointers(client.http.post("/api/jobs", json=body(job, **changes))) == [pointer]


def test_a_thousand_points_may_be_kept_and_the_refusal_says_how(client: Client, job: Job) -> None:
    def plan(keep_every: int) -> httpx.Response:
        many = body(job, epochs=10_000_000, keep_every=keep_every)
        return client.http.post("/api/jobs?validate_only=true", json=many)

    assert plan(9_991).status_code == 200
    assert "keep every 9,991 or more" in problem(plan(9_990), 422)["detail"]


def test_the_points_of_a_large_network_are_limited_by_their_bytes(client: Client, job: Job) -> None:
    large = client.create_model("Chain(Dense(1 => 1100), Dense(1100 => 1100), Dense(1100 => 1))")
    many = {"model": large.id, "dataset": job.dataset, "epochs": 1000, "keep_every": 1}
    refused = problem(client.http.post("/api/jobs?validate_only=true", json=many), 422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("too_many_points", "#/keep_every")
