"""Labels of datasets, models and jobs, and the filters of their lists."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from service.client import Client
from tests.support.nouns import NOUNS, Create, creating
from tests.support.pages import walk
from tests.support.problems import problem
from tests.support.training import line, straight

CSV = "x,y\n0,2\n1,6\n2,10\n"
BLUE = {"team": "blue", "for": "a: b, ümläut 🙂"}


def bodies(client: Client) -> dict[str, dict[str, Any]]:
    """A body that creates one of each noun."""
    columns = {"x": [0, 1, 2], "y": [2, 6, 10]}
    job = {"model": straight(client).id, "dataset": line(client).id, "epochs": 1}
    return {
        "datasets": {"columns": columns, "targets": ["y"]},
        "models": {"architecture": "Dense(1 => 1)"},
        "jobs": job,
    }


def found(client: Client, noun: str, **query: Any) -> list[str]:
    """The ids of all pages of a list, two a page."""
    return [each["id"] for page in walk(client.http, f"/api/{noun}", limit=2, **query) for each in page]


def label(client: Client, noun: str, id: str, labels: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = client.http.patch(f"/api/{noun}/{id}", json={"labels": labels}).raise_for_status().json()
    return answer


@pytest.fixture(scope="module")
def create(client: Client) -> Create:
    return creating(client)


@pytest.mark.parametrize("noun", NOUNS)
def test_labels_are_given_shown_and_replaced(client: Client, noun: str) -> None:
    body = bodies(client)[noun]
    made = client.http.post(f"/api/{noun}", json={**body, "labels": BLUE}).raise_for_status().json()
    path = f"/api/{noun}/{made['id']}"
    assert made["labels"] == client.http.get(path).json()["labels"] == BLUE
    assert label(client, noun, made["id"], {"team": "red"})["labels"] == {"team": "red"}
    assert client.http.get(path).json()["labels"] == {"team": "red"}
    assert made["id"] in found(client, noun, label="team:red")
    assert made["id"] not in found(client, noun, label="team:blue")
    assert label(client, noun, made["id"], {})["labels"] == {}
    assert made["id"] not in found(client, noun, label="team:red")
    plain = client.http.post(f"/api/{noun}", json=body).json()
    assert plain["labels"] == {}


@pytest.mark.parametrize("noun", NOUNS)
def test_lists_take_labels_that_must_all_hold(client: Client, create: Create, noun: str) -> None:
    ids = [create(noun) for _ in range(7)]
    for number, id in enumerate(ids):
        label(client, noun, id, {"of": "seven", "odd": str(number % 2), **({"last": ""} if number > 4 else {})})
    assert found(client, noun, label="of:seven") == ids[::-1]
    assert found(client, noun, label=["of:seven", "odd:1"]) == ids[1::2][::-1]
    assert found(client, noun, label=["odd:1", "of:seven", "odd:1", "last:"]) == [ids[5]]
    assert found(client, noun, label=["of:seven", "odd:2"]) == []
    assert found(client, noun, label="of:seve") == found(client, noun, label="OF:seven") == []


@pytest.mark.parametrize("noun", NOUNS)
def test_lists_take_what_was_created_after_a_time(client: Client, create: Create, noun: str) -> None:
    ids = [create(noun) for _ in range(5)]
    times = [client.http.get(f"/api/{noun}/{id}").json()["created_at"] for id in ids]
    later = datetime.fromisoformat(times[1]).astimezone(UTC) + timedelta(hours=5, minutes=30)
    east = later.strftime("%Y-%m-%dT%H:%M:%S.%f+05:30")
    for after in (times[1], times[1].lower(), east, east.replace("+", " ")):
        assert found(client, noun, created_after=after)[-3:] == ids[:1:-1]
    assert found(client, noun, created_after="9999-12-31T23:59:59Z") == []
    assert found(client, noun, created_after="1969-07-20T20:17:40-07:00")[:5] == ids[::-1]
    label(client, noun, ids[3], {"alone": "yes"})
    label(client, noun, ids[0], {"alone": "yes"})
    assert found(client, noun, label="alone:yes", created_after=times[1]) == [ids[3]]


@pytest.mark.parametrize("create", [line, straight], ids=["datasets", "models"])
def test_lists_take_the_beginning_of_names(client: Client, create: Callable[..., Any]) -> None:
    noun = "datasets" if create is line else "models"
    names = ["Pre.a", "Pre.b", "Pre.b_1", "Pre.b-2", "pre.b", "Pre", "Prf", "xPre.b"]
    ids = {name: create(client, name=name).id for name in names}
    assert found(client, noun, name="Pre.b") == [ids[name] for name in ("Pre.b-2", "Pre.b_1", "Pre.b")]
    assert found(client, noun, name="Pre.b_") == [ids["Pre.b_1"]]
    assert found(client, noun, name="Pre") == [ids[name] for name in reversed(names) if name.startswith("Pre")]
    assert found(client, noun, name="Pre.z") == []
    label(client, noun, ids["Pre.a"], {"first": "one"})
    assert found(client, noun, name="Pre", label="first:one") == [ids["Pre.a"]]
    assert found(client, noun, name="")[:8] == [ids[name] for name in reversed(names)]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("label=blue", "label"),
        ("label=:blue", "label"),
        ("label=team:blue&label=team:red", "label"),
        ("label=team:%00", "label"),
        ("label=te%0Aam:blue", "label"),
        (f"label={'k' * 65}:v", "label"),
        (f"label=k:{'v' * 65}", "label"),
        ("&".join(f"label=k{number}:v" for number in range(17)), "label"),
        ("created_after=yesterday", "created_after"),
        ("created_after=1700000000", "created_after"),
        ("created_after=2026-01-31", "created_after"),
        ("created_after=2026-01-31T12:00:00", "created_after"),
        ("created_after=2026-02-30T12:00:00Z", "created_after"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "created_after"),
        ("created_after=2026-01-31T12:00:00Z&created_after=2026-01-31T12:00:00Z", "created_after"),
    ],
)
@pytest.mark.parametrize("noun", NOUNS)
def test_impossible_filters_are_refused_with_their_place(client: Client, noun: str, query: str, parameter: str) -> None:
    refused = problem(client.http.get(f"/api/{noun}?{query}"), 422)
    assert [fault["pointer"].partition("/")[::2] for fault in refused["errors"]] == [("query", parameter)]


@pytest.mark.parametrize("name", ["a%25", "a%20b", "%00", "a" * 101])
def test_what_no_name_begins_with_is_refused(client: Client, name: str) -> None:
    for noun in ("datasets", "models"):
        refused = problem(client.http.get(f"/api/{noun}?name={name}"), 422)
        assert [fault["pointer"] for fault in refused["errors"]] == ["query/name"]


IMPOSSIBLE: list[Any] = [
    None,
    [],
    "team:blue",
    {"team": 1},
    {"team": None},
    {"": "blue"},
    {"a:b": "c"},
    {"k" * 65: "v"},
    {"k": "v" * 65},
    {"k\n": "v"},
    {"k": "\x00"},
    {f"k{number}": "v" for number in range(17)},
]


@pytest.mark.parametrize("labels", IMPOSSIBLE, ids=repr)
@pytest.mark.parametrize("noun", NOUNS)
def test_impossible_labels_are_refused_with_their_place(client: Client, create: Create, noun: str, labels: Any) -> None:
    answers = [
        client.http.post(f"/api/{noun}", json={**bodies(client)[noun], "labels": labels}),
        client.http.patch(f"/api/{noun}/{create(noun)}", json={"labels": labels}),
    ]
    for answer in answers:
        assert all(fault["pointer"].startswith("#/labels") for fault in problem(answer, 422)["errors"])


def test_sixteen_labels_of_sixty_four_characters_are_taken(client: Client, create: Create) -> None:
    most = {f"{number:>64}": "🙂" * 64 for number in range(16)}
    for noun in NOUNS:
        assert label(client, noun, create(noun), most)["labels"] == most


def test_files_and_forms_take_labels(client: Client) -> None:
    query, typed = "targets=y&labels=team:blue&labels=for:a:b", {"Content-Type": "text/csv"}
    streamed = client.http.post(f"/api/datasets?{query}", content=CSV, headers=typed)
    fields = {"targets": "y", "labels": ["team:blue", "for:a:b"]}
    form = client.http.post("/api/datasets", data=fields, files={"file": ("a.csv", CSV)})
    tensors = client.http.get(f"/api/models/{straight(client).id}/export?format=npz").content
    uploaded = client.http.post(
        "/api/models?labels=team:blue&labels=for:a:b", content=tensors, headers={"Content-Type": "application/x-npz"}
    )
    for made in (streamed, form, uploaded):
        assert made.status_code == 201, made.text
        assert made.json()["labels"] == {"team": "blue", "for": "a:b"}
    for bad in ("team", "team:blue&labels=team:red"):
        refused = problem(client.http.post(f"/api/datasets?targets=y&labels={bad}", content=CSV, headers=typed), 422)
        assert [fault["pointer"] for fault in refused["errors"]] == ["query/labels"]
    refused = problem(client.http.post("/api/datasets", data={**fields, "labels": "x"}, files={"file": CSV}), 422)
    assert [fault["pointer"] for fault in refused["errors"]] == ["form/labels"]


def test_labels_decide_no_result(client: Client) -> None:
    made = [client.create_dataset({"x": [0, 1, 2], "y": [1, 2, 3]}, ["y"], labels=each) for each in ({}, BLUE)]
    assert made[0].sha256 == made[1].sha256
    model = straight(client, labels=BLUE).id
    jobs = [client.train(model, made[0].id, wait=30, epochs=3, from_version=0, labels=each) for each in ({}, BLUE)]
    assert jobs[0].recipe == jobs[1].recipe
    assert jobs[0].receipt == jobs[1].receipt
    assert client.http.post(f"/api/jobs/{jobs[1].id}/verify").json()["identical"] is True


def test_a_job_that_has_ended_takes_other_labels(client: Client) -> None:
    job = client.train(straight(client).id, line(client).id, wait=30, epochs=1, labels=BLUE)
    assert client.change(job.id, labels={"kept": "yes"}).labels == {"kept": "yes"}
    refused = client.http.patch(f"/api/jobs/{job.id}", json={"labels": {"kept": "no"}, "rate": 0.1})
    assert problem(refused, 409)["code"] == "job_ended"
    assert client.job(job.id).labels == {"kept": "yes"}


def test_deleted_things_are_not_found_by_their_labels(client: Client) -> None:
    given = {noun: {**body, "labels": BLUE} for noun, body in bodies(client).items()}
    made = {noun: client.http.post(f"/api/{noun}", json=body).json()["id"] for noun, body in given.items()}
    client.job(made["jobs"], wait=30)
    for noun, id in made.items():
        assert id in found(client, noun, label="team:blue")
        client.delete(f"/api/{noun}/{id}")
        assert id not in found(client, noun, label="team:blue")


def test_a_change_of_nothing_changes_no_dataset(client: Client) -> None:
    answer: httpx.Response = client.http.patch(f"/api/datasets/{line(client).id}", json={})
    assert 'give "labels" or "shared"' in problem(answer, 422)["detail"]
