"""The bytes that a job will write: planned, advised and limited."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.client import Client
from service.jobs.growth import MANY, Growth, advice, check
from tests.support.problems import problem
from tests.support.serving import RunningService, running_service
from tests.support.training import line, straight

LARGE = {"epochs": 10_000_000}


def plan(client: Client, **recipe: Any) -> dict[str, Any]:
    body = {"model": straight(client).id, "dataset": line(client).id, **recipe}
    answer: dict[str, Any] = client.http.post("/api/jobs?validate_only=true", json=body).raise_for_status().json()
    return answer


def about_size(answer: dict[str, Any]) -> dict[str, Any] | None:
    return next((each for each in answer["advice"] if each["code"] == "large_job"), None)


def test_a_job_of_many_epochs_is_advised_to_take_as_many_as_fit(client: Client) -> None:
    planned = plan(client, **LARGE)
    assert 200e6 < planned["plan"]["bytes"] < 220e6
    said = about_size(planned)
    assert said is not None
    assert said["pointer"] == "#/epochs"
    assert "of them 10,000,001 epoch reports" in said["detail"]
    epochs = int(said["detail"].partition('"epochs": ')[2].partition(" ")[0])

    fewer = plan(client, epochs=epochs)
    assert about_size(fewer) is None
    assert 0.999 * MANY < fewer["plan"]["bytes"] <= MANY
    assert about_size(plan(client, epochs=epochs + 10)) is not None


def test_what_is_kept_on_the_way_is_advised_to_be_kept_less_often(client: Client) -> None:
    wide = client.create_model("Chain(Dense(1 => 200, tanh), Dense(200 => 200, tanh), Dense(200 => 1))")
    job = {"model": wide.id, "dataset": line(client).id, "epochs": 1000}

    def planned(keep_every: int) -> dict[str, Any]:
        answer: dict[str, Any] = client.http.post(
            "/api/jobs?validate_only=true", json={**job, "keep_every": keep_every}
        ).json()
        return answer

    said = about_size(planned(1))
    assert said is not None
    assert said["pointer"] == "#/keep_every"
    keep_every = int(said["detail"].partition('"keep_every": ')[2].partition(" ")[0])
    assert about_size(planned(keep_every)) is None
    assert about_size(planned(keep_every - 1)) is not None


def test_a_job_that_is_created_has_the_same_plan_and_advice(client: Client) -> None:
    dataset, model = line(client).id, straight(client).id
    job = client.train(model, dataset, **LARGE)
    client.cancel(job.id)
    body = {"model": model, "dataset": dataset, **LARGE}
    planned = client.http.post("/api/jobs?validate_only=true", json=body).json()
    assert job.plan.bytes == planned["plan"]["bytes"]
    assert [each.model_dump() for each in job.advice] == planned["advice"]


def grows(**changes: Any) -> Growth:
    usual = {"epochs": 100, "keep_every": None, "bytes_of_report": 20.0, "bytes_of_point": 1000, "bytes_once": 5000}
    return Growth(**{**usual, **changes})


def test_points_of_a_network_too_large_for_any_are_advised_against() -> None:
    said = advice(grows(keep_every=1, bytes_of_point=99_999_999))
    assert said is not None
    assert '"keep_every": null' in said.detail


def test_a_network_whose_version_alone_is_large_is_named() -> None:
    said = advice(grows(bytes_once=300_000_000))
    assert said is not None
    assert (said.pointer, said.code) == ("#/model", "large_job")
    assert "a version and a checkpoint of this network alone take 300 MB" in said.detail


@pytest.mark.parametrize("keep_every", [None, 1, 3, 10])
@pytest.mark.parametrize("limit", [8_000, 50_000, 123_456])
def test_the_most_epochs_stay_within_a_limit_and_few_more_do_not(keep_every: int | None, limit: int) -> None:
    most = grows(keep_every=keep_every).most_epochs(limit)
    check(grows(epochs=most, keep_every=keep_every), limit)
    assert grows(epochs=most + 2 + (keep_every or 0), keep_every=keep_every).total > limit


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service whose jobs may write a megabyte, and whose workers may use 200."""
    limits = {"DESCENT_MAX_JOB_BYTES": "1000000", "DESCENT_WORKER_MEMORY": "200000000"}
    with running_service(tmp_path_factory.mktemp("small"), **limits) as running:
        yield running


def test_a_job_that_would_write_too_much_is_refused(small: RunningService) -> None:
    with small.client() as client:
        body = {"model": straight(client).id, "dataset": line(client).id}

        def post(**recipe: Any) -> Any:
            return client.http.post("/api/jobs?validate_only=true", json={**body, **recipe})

        assert problem(client.http.post("/api/jobs", json={**body, "epochs": 100_000}), 422)["code"] == "job_too_large"
        refused = problem(post(epochs=100_000), 422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("job_too_large", "#/epochs")
        assert client.http.get("/api/jobs").json()["items"] == []
        epochs = int(refused["detail"].partition('at most "epochs": ')[2].removesuffix("."))
        assert post(epochs=epochs).is_success
        assert problem(post(epochs=epochs + 2), 422)["code"] == "job_too_large"

        wide = client.create_model("Chain(Dense(1 => 60000), Dense(60000 => 1))")
        body = {**body, "model": wide.id}
        refused = problem(post(epochs=1), 422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("job_too_large", "#/epochs")
        assert "this network alone" in refused["detail"]
        assert problem(post(epochs=10, keep_every=1), 422)["code"] == "too_many_points"


def test_a_job_that_needs_too_much_memory_is_refused_with_what_fits(small: RunningService) -> None:
    with small.client() as client:
        columns = {"x": list(range(60_000)), "y": [0.5] * 60_000}
        dataset = client.http.post("/api/datasets", json={"columns": columns, "targets": ["y"]}).json()["id"]
        model = client.create_model("Chain(Dense(1 => 40), BatchNorm(40, tanh), Dense(40 => 1))").id
        job = {"model": model, "dataset": dataset, "epochs": 1}
        refused = problem(client.http.post("/api/jobs", json=job), 422)
        assert (refused["code"], refused["errors"][0]["pointer"]) == ("needs_too_much_memory", "#/batch_size")
        assert "a worker may use 200 MB (DESCENT_WORKER_MEMORY)" in refused["detail"]
        size = int(refused["detail"].partition('"batch_size": ')[2].partition(" ")[0])
        answer = client.http.post("/api/jobs", json={**job, "batch_size": size}, headers={"Prefer": "wait=30"}).json()
        assert answer["state"] == "succeeded"
        assert answer["plan"]["memory"] <= 200_000_000
        twice = client.http.post("/api/jobs", json={**job, "batch_size": 2 * size})
        assert problem(twice, 422)["code"] == refused["code"]
