"""A dataset's life over HTTP: created, found by id and by name, listed, deleted."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from service.client import Client, ProblemError
from service.datasets.schemas import Dataset
from tests.support.problems import problem
from tests.support.serving import RunningService
from tests.support.training import LINE, endless_job, line, straight


@pytest.fixture(scope="session")
def named(client: Client) -> Dataset:
    return line(client, name="a-line.of_6")


def test_a_new_dataset_says_what_networks_must_fit(http: httpx.Client) -> None:
    columns = {"a": [1, 2, 3], "y": [1, 2, 3], "b": [0.5, 1.5, 2.5], "z": [3, 2, 1]}
    before = datetime.now(UTC)
    answer = http.post("/api/datasets", json={"columns": columns, "targets": ["z", "y"]})

    assert answer.status_code == 201
    created = answer.json()
    assert answer.headers["location"] == f"/api/datasets/{created['id']}"
    assert created["name"] == created["id"]
    assert [column["name"] for column in created["features"]] == ["a", "b"]
    assert [column["name"] for column in created["targets"]] == ["z", "y"]
    assert {(column["kind"], column["width"]) for column in created["features"]} == {("numeric", 1)}
    assert (created["inputs"], created["outputs"], created["rows"]) == (2, 2, 3)
    assert created["parts"] == {"train": 3, "validation": 0, "test": 0}
    assert (created["dtype"], created["state"]) == ("float32", "ready")
    assert before <= datetime.fromisoformat(created["created_at"]) <= datetime.now(UTC)
    assert created["created_at"].endswith("Z")
    assert http.get(answer.headers["location"]).json() == created


@pytest.mark.parametrize("what", ["", "/rows", "/statistics"])
def test_id_and_name_are_interchangeable(http: httpx.Client, named: Dataset, what: str) -> None:
    by_id, by_name = (http.get(f"/api/datasets/{reference}{what}") for reference in (named.id, named.name))
    assert by_id.status_code == 200
    assert by_id.json() == by_name.json()


def test_a_name_is_taken_once_and_free_after_a_delete(client: Client, service: RunningService) -> None:
    first = line(client, name="taken")
    folders = set((service.folder / "datasets").iterdir())
    with pytest.raises(ProblemError) as refused:
        line(client, name="taken")

    assert (refused.value.problem.status, refused.value.problem.code) == (409, "name_taken")
    assert set((service.folder / "datasets").iterdir()) == folders
    assert client.http.delete("/api/datasets/taken").status_code == 204
    second = line(client, name="taken")
    assert second.id != first.id
    assert client.http.delete(f"/api/datasets/{second.id}").status_code == 204


def test_a_delete_takes_rows_and_files(client: Client, service: RunningService) -> None:
    dataset = line(client)
    files = service.folder / "datasets" / dataset.id
    assert {path.name for path in files.iterdir()} >= {"inputs.npy", "targets.npy", "numbers.npy"}

    answer = client.http.delete(f"/api/datasets/{dataset.id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert not files.exists()
    for what in ("", "/rows", "/statistics"):
        problem(client.http.get(f"/api/datasets/{dataset.id}{what}"), 404)
    problem(client.http.delete(f"/api/datasets/{dataset.id}"), 404)


def test_a_dataset_stays_while_a_job_that_has_not_ended_needs_it(client: Client, service: RunningService) -> None:
    dataset, model = line(client), straight(client)
    with endless_job(client, model.id, dataset.id):
        refused = problem(client.http.delete(f"/api/datasets/{dataset.id}"), 409)
        assert refused["code"] == "dataset_in_use"
        assert (service.folder / "datasets" / dataset.id).is_dir()
        assert client.http.get(f"/api/datasets/{dataset.id}").status_code == 200

    assert client.http.delete(f"/api/datasets/{dataset.id}").status_code == 204


def test_a_job_outlives_its_dataset(client: Client) -> None:
    dataset, model = line(client), straight(client)
    job = client.train(model.id, dataset.id, wait=30, epochs=1)
    assert client.http.delete(f"/api/datasets/{dataset.id}").status_code == 204

    assert client.job(job.id).dataset == dataset.id
    found = client.http.get(f"/api/jobs?dataset={dataset.id}").json()["items"]
    assert [item["id"] for item in found] == [job.id]


@pytest.mark.parametrize("change", [{"split": {"test": {"last": 1}}}, {"dtype": "float64"}, {"targets": ["x"]}])
def test_the_hash_tells_data_apart(http: httpx.Client, change: dict[str, object]) -> None:
    one, same, other = (http.post("/api/datasets", json=body).json() for body in (LINE, LINE, {**LINE, **change}))
    assert one["id"] != same["id"]
    assert one["sha256"] == same["sha256"] != other["sha256"]
    assert len(one["sha256"]) == 64


def test_a_dataset_in_float64_keeps_all_digits(http: httpx.Client) -> None:
    third = 1 / 3
    body = {"columns": {"x": [third], "y": [1e300]}, "targets": ["y"], "dtype": "float64"}
    created = http.post("/api/datasets", json=body).json()

    assert created["dtype"] == "float64"
    rows = http.get(f"/api/datasets/{created['id']}/rows").json()["items"]
    assert rows == [{"row": 0, "part": "train", "values": {"x": third, "y": 1e300}}]


def test_a_request_that_is_refused_leaves_no_files(http: httpx.Client, service: RunningService) -> None:
    def folders() -> set[Path]:
        return set((service.folder / "datasets").iterdir())

    http.post("/api/datasets", json=LINE)
    before = folders()
    problem(http.post("/api/datasets", json={**LINE, "split": {"test": {"last": 6}}}), 422)
    assert folders() == before


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([{"x": 1, "y": 2}], "#"),
        ({"columns": [{"x": 1, "y": 2}], "targets": ["y"]}, "#/columns"),
        ({"columns": {"x": {"0": 1}, "y": {"0": 2}}, "targets": ["y"]}, "#/columns"),
        ({"records": [{"x": 1, "y": 2}], "targets": ["y"]}, "#/records"),
        ({"x": [1, 2], "y": [2, 4], "targets": ["y"]}, "#/x"),
    ],
)
@pytest.mark.parametrize("validate_only", [False, True])
def test_tables_told_by_rows_are_refused_with_the_form_that_is_taken(
    http: httpx.Client, body: object, pointer: str, validate_only: bool
) -> None:
    refused = http.post("/api/datasets", json=body, params={"validate_only": validate_only})
    assert (refused.status_code, refused.json()["code"]) == (422, "by_rows")
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert '{"columns": {"x": [0, 1], "y": [2, 6]}, "targets": ["y"]}' in refused.json()["detail"]
