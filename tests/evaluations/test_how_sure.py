"""Evaluations that tell which columns matter, and how far levels and probabilities come true."""

from typing import Any

import numpy as np
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import pointers

ROWS = 400
RNG = np.random.default_rng(11)
A, B = RNG.uniform(-1, 1, (2, ROWS))
KIND = ["red" if each else "blue" for each in RNG.uniform(size=ROWS) > 0.5]
SHIFT = np.where(np.array(KIND) == "red", 1.0, 0.0)
COLUMNS: dict[str, Any] = {
    "a": A.tolist(),
    "idle": B.tolist(),
    "kind": KIND,
    "y": (3 * A + SHIFT + RNG.normal(0, 0.1, ROWS)).tolist(),
    "sign": ["plus" if each else "minus" for each in A + RNG.normal(0, 0.3, ROWS) > 0],
}
SPLIT = {"calibration": {"first": 100}, "test": {"last": 100}}


def trained(client: Client, target: str, **recipe: Any) -> Job:
    columns = {name: COLUMNS[name] for name in ("a", "idle", "kind", target)}
    dataset = client.create_dataset(columns, [target], split=SPLIT).id
    model = client.create_model(f"Dense(4 => {1 + (target == 'sign')})").id
    return client.train(model, dataset, wait=30, epochs=60, **recipe)


@pytest.fixture(scope="module")
def numbers(client: Client) -> Job:
    return trained(client, "y", optimiser={"rule": "Descent", "eta": 0.3})


@pytest.fixture(scope="module")
def classes(client: Client) -> Job:
    return trained(client, "sign", loss="logitcrossentropy", optimiser={"rule": "Adam", "eta": 0.05})


def evaluated(client: Client, job: Job, **body: Any) -> Any:
    answer = client.http.post(f"/api/models/{job.model}/evaluations", json={"dataset": job.dataset, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_importance_is_the_rise_of_the_loss_by_named_column(client: Client, numbers: Job) -> None:
    found = evaluated(client, numbers, importance={"repeats": 3, "seed": 4})
    rise = {each["column"]: each for each in found["importance"]}
    assert [each["column"] for each in found["importance"]] == ["a", "kind", "idle"]
    assert rise["a"]["mean"] == pytest.approx(18 * np.var(A[-100:]), rel=0.3)  # 3² E(a - a')² = 9 · 2 var
    assert rise["kind"]["mean"] == pytest.approx(0.5, rel=0.4)
    assert abs(rise["idle"]["mean"]) < 0.01
    assert all(each["std"] > 0 for each in found["importance"])
    assert evaluated(client, numbers, importance={"repeats": 3, "seed": 4})["importance"] == found["importance"]
    assert evaluated(client, numbers, importance={"repeats": 3, "seed": 5})["importance"] != found["importance"]
    assert evaluated(client, numbers, importance=False)["importance"] is None


def test_importance_stays_with_the_evaluation(client: Client, numbers: Job) -> None:
    made = evaluated(client, numbers, importance=True)
    at = f"/api/models/{numbers.model}"
    assert client.http.get(f"{at}/evaluations/{made['id']}").json() == made
    assert client.http.get(f"{at}/evaluations").json()["items"][0] == made
    assert client.http.get(f"{at}/metrics").json()["evaluations"][0] == made


def test_intervals_are_judged_at_all_levels(client: Client, numbers: Job) -> None:
    found = evaluated(client, numbers)
    bounds = client.http.post(
        f"/api/models/{numbers.model}/predictions", json={"dataset": numbers.dataset, "part": "test", "interval": 0.9}
    ).json()["intervals"]
    y = np.array(COLUMNS["y"][-100:], np.float32)
    inside = (np.array(bounds["lower"])[:, 0] <= y) & (y <= np.array(bounds["upper"])[:, 0])
    assert found["coverage"] == pytest.approx(inside.mean())
    curve = found["reliability"]
    assert [each["expected"] for each in curve] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    distances = [abs(each["observed"] - each["expected"]) for each in curve]
    assert found["calibration_error"] == pytest.approx(np.mean(distances))
    assert max(distances) < 0.2


def test_probabilities_of_labels_are_compared_with_their_share_of_hits(client: Client, classes: Job) -> None:
    found = evaluated(client, classes)
    answer = client.http.post(
        f"/api/models/{classes.model}/predictions", json={"dataset": classes.dataset, "part": "test", "sets": 0.9}
    ).json()
    right = np.array([label == true for label, true in zip(answer["labels"], COLUMNS["sign"][-100:], strict=True)])
    sure = np.max(answer["probabilities"], axis=1)
    curve = found["reliability"]
    assert sum(each["rows"] for each in curve) == 100
    last = sure >= 0.9
    assert curve[-1]["rows"] == last.sum()
    assert curve[-1]["observed"] == pytest.approx(right[last].mean())
    assert curve[-1]["expected"] == pytest.approx(sure[last].mean())
    error = sum(each["rows"] * abs(each["observed"] - each["expected"]) for each in curve) / 100
    assert found["calibration_error"] == pytest.approx(error)
    held = [true in each for true, each in zip(COLUMNS["sign"][-100:], answer["label_sets"]["sets"], strict=True)]
    assert found["coverage"] == pytest.approx(np.mean(held))


def test_versions_without_intervals_or_probabilities_have_no_curve(client: Client, numbers: Job) -> None:
    found = evaluated(client, numbers, version=0)
    assert [found[name] for name in ("coverage", "calibration_error", "reliability")] == [None] * 3


def test_a_number_is_judged_beside_a_class_without_probabilities(client: Client) -> None:
    columns = {name: COLUMNS[name] for name in ("a", "y", "sign")}
    dataset = client.create_dataset(columns, ["y", "sign"], split=SPLIT).id
    job = client.train(client.create_model("Dense(1 => 3)").id, dataset, wait=30, epochs=20)
    found = evaluated(client, job)
    assert found["coverage"]["y"] == pytest.approx(0.9, abs=0.12)
    assert (found["coverage"]["sign"], found["calibration_error"]["sign"]) == (None, None)
    assert (len(found["reliability"]["y"]), found["reliability"]["sign"]) == (9, [])


@pytest.mark.parametrize(
    ("importance", "pointer"),
    [({"repeats": 0}, "#/importance/repeats"), ({"times": 3}, "#/importance/times"), (3, "#/importance")],
)
def test_importance_asks_for_repeats_that_can_be(client: Client, numbers: Job, importance: Any, pointer: str) -> None:
    body = {"dataset": numbers.dataset, "importance": importance}
    assert pointers(client.http.post(f"/api/models/{numbers.model}/evaluations", json=body)) == [pointer]
