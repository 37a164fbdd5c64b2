"""A cursor that names no place in the list that it is sent to is refused."""

from typing import Any

import pytest

from service.client import Client
from service.database.record import nanoseconds_of
from service.ids import new_id
from tests.support.problems import pointers, problem
from tests.support.training import line, straight

EPOCHS = 10


@pytest.fixture(scope="module")
def lists(client: Client) -> dict[str, str]:
    """The path of each list that has a second page at `limit=1`, by what is in it."""
    dataset, model = line(client, split={"test": {"last": 2}}), straight(client)
    line(client), straight(client)
    job = client.train(model.id, dataset.id, wait=30, epochs=EPOCHS)
    client.train(model.id, dataset.id, wait=30, epochs=1)
    for _ in range(2):
        client.evaluate(model.id, dataset.id)
    return {
        "datasets": "/api/datasets",
        "models": "/api/models",
        "jobs": "/api/jobs",
        "evaluations": f"/api/models/{model.id}/evaluations",
        "versions": f"/api/models/{model.id}/versions",
        "rows": f"/api/datasets/{dataset.id}/rows",
        "epochs": f"/api/jobs/{job.id}/epochs",
    }


NUMBERED = ("versions", "rows", "epochs")
KINDS = ("datasets", "models", "jobs", "evaluations", *NUMBERED)


def refused(client: Client, path: str, **query: Any) -> None:
    answer = client.http.get(path, params=query)
    assert (pointers(answer), problem(answer, 422)["code"]) == (["query/after"], "bad_cursor")


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_of_another_kind_of_list_is_refused(client: Client, lists: dict[str, str], kind: str) -> None:
    for other in KINDS:
        cursor = client.http.get(lists[other], params={"limit": 1}).json()["next"]
        if other == kind:
            assert client.http.get(lists[kind], params={"after": cursor}).is_success
        elif other not in NUMBERED or kind not in NUMBERED:  # numbers of another list may be places in this one
            refused(client, lists[kind], after=cursor)


@pytest.mark.parametrize("kind", NUMBERED)
@pytest.mark.parametrize("cursor", ["0", "01", "+1", "1.0", "-1", "99", "9" * 30, "１"])
def test_a_number_outside_the_list_is_refused(client: Client, lists: dict[str, str], kind: str, cursor: str) -> None:
    refused(client, lists[kind], after=cursor)


@pytest.mark.parametrize(("kind", "prefix"), [("datasets", "ds"), ("models", "mdl"), ("jobs", "job")])
def test_an_id_that_nobody_can_have_made_yet_is_refused(
    client: Client, lists: dict[str, str], kind: str, prefix: str
) -> None:
    refused(client, lists[kind], after=f"{prefix}_{'z' * 26}")
    assert client.http.get(lists[kind], params={"after": new_id(prefix)}).is_success


def test_ids_tell_when_they_were_made() -> None:
    first, second = new_id("ds"), new_id("mdl")
    assert 0 <= nanoseconds_of(second) - nanoseconds_of(first) < 60 * 10**9


def test_a_cursor_before_the_first_epoch_wanted_is_refused(client: Client, lists: dict[str, str]) -> None:
    refused(client, lists["epochs"], from_epoch=5, after="5")
    later = client.http.get(lists["epochs"], params={"from_epoch": 5, "after": "6"}).json()["items"]
    assert [report["epoch"] for report in later] == list(range(6, EPOCHS + 1))


def test_thinned_reports_and_csv_have_no_cursors(client: Client, lists: dict[str, str]) -> None:
    refused(client, lists["epochs"], points=10, after="5")
    csv = client.http.get(lists["epochs"], params={"after": "5"}, headers={"Accept": "text/csv"})
    assert pointers(csv) == ["query/after"]


def test_a_verification_writes_no_reports_that_a_cursor_could_name(client: Client, lists: dict[str, str]) -> None:
    job = lists["epochs"].split("/")[3]
    again = client.http.post(f"/api/jobs/{job}/verify", headers={"Prefer": "wait=30"}).json()["job"]
    refused(client, f"/api/jobs/{again}/epochs", after="5")
