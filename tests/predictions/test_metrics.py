"""The history of a model: trainings and evaluations, each a list of pages of its own."""

from typing import Any

import pytest

from service.client import Client
from tests.support.problems import pointers
from tests.support.training import line, straight

TRAININGS, EVALUATIONS = 5, 3


@pytest.fixture(scope="module")
def path(client: Client) -> str:
    """The path of the metrics of a model with more trainings than evaluations."""
    dataset, model = line(client), straight(client)
    for _ in range(TRAININGS):
        client.train(model.id, dataset.id, wait=30, epochs=1)
    for _ in range(EVALUATIONS):
        client.evaluate(model.id, dataset.id, part="train")
    return f"/api/models/{model.id}/metrics"


def pages(client: Client, path: str, of: str, parameter: str, limit: int) -> list[list[Any]]:
    found: list[list[Any]] = []
    after: dict[str, str] = {}
    while True:
        page = client.http.get(path, params={"limit": limit, **after}).raise_for_status().json()
        found.append(page[of])
        if page[f"next_{of}"] is None:
            return found
        after = {parameter: page[f"next_{of}"]}


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 20])
@pytest.mark.parametrize(("of", "count"), [("trainings", TRAININGS), ("evaluations", EVALUATIONS)])
def test_each_list_goes_on_with_its_own_cursor(client: Client, path: str, limit: int, of: str, count: int) -> None:
    (everything,) = pages(client, path, of, f"after_{of[:-1]}", 1000)
    assert len(everything) == count
    walked = pages(client, path, of, f"after_{of[:-1]}", limit)
    assert [each for page in walked for each in page] == everything
    assert all(len(page) == limit for page in walked[:-1])


def test_trainings_and_evaluations_come_newest_first(client: Client, path: str) -> None:
    metrics = client.http.get(path).json()
    assert [training["version"] for training in metrics["trainings"]] == list(range(TRAININGS, 0, -1))
    made = [evaluation["id"] for evaluation in metrics["evaluations"]]
    assert made == sorted(made, reverse=True)


@pytest.mark.parametrize("cursor", ["", "0", "6", "01", "-1", "x", f"job_{'0' * 26}", f"ev_{'0' * 26}"])
def test_a_cursor_that_is_no_version_is_refused(client: Client, path: str, cursor: str) -> None:
    refused = client.http.get(path, params={"after_training": cursor})
    assert pointers(refused) == ["query/after_training"]
    assert refused.json()["code"] == "bad_cursor"


@pytest.mark.parametrize("cursor", ["", "1", "x", f"job_{'0' * 26}", f"ev_{'z' * 26}", f"ev_{'0' * 25}"])
def test_a_cursor_that_is_no_evaluation_is_refused(client: Client, path: str, cursor: str) -> None:
    assert pointers(client.http.get(path, params={"after_evaluation": cursor})) == ["query/after_evaluation"]


def test_a_page_has_one_training_at_least(client: Client, path: str) -> None:
    assert pointers(client.http.get(path, params={"limit": 0})) == ["query/limit"]


def test_a_page_has_twenty_of_each_where_nothing_is_said(client: Client) -> None:
    dataset, model = line(client), straight(client)
    made = [client.evaluate(model.id, dataset.id, part="train").id for _ in range(21)]
    metrics = client.http.get(f"/api/models/{model.id}/metrics").json()
    assert [evaluation["id"] for evaluation in metrics["evaluations"]] == made[:0:-1]
    assert (metrics["next_evaluations"], metrics["next_trainings"]) == (made[1], None)
