"""Predictions that tell what each column adds to each output."""

from typing import Any

import numpy as np
import pytest

from service.client import Client
from service.jobs.schemas import Job
from tests.support.problems import pointers

ROWS = 60
RNG = np.random.default_rng(4)
A = RNG.normal(2, 1, ROWS)
COLUMNS: dict[str, Any] = {
    "a": A.tolist(),
    "kind": [("red", "green", "blue")[each] for each in RNG.integers(0, 3, ROWS)],
    "on": (A > 2).tolist(),
    "y": (3 * A).tolist(),
    "class": ["up" if each else "down" for each in A > 2],
}


def trained(client: Client, target: str, architecture: str, **recipe: Any) -> Job:
    columns = {name: COLUMNS[name] for name in ("a", "kind", "on", target)}
    dataset = client.create_dataset(columns, [target], split={"test": {"last": 10}}).id
    job = client.train(client.create_model(architecture).id, dataset, wait=30, epochs=5, **recipe)
    assert job.state == "succeeded"
    return job


def explained(client: Client, job: Job, **body: Any) -> Any:
    answer = client.http.post(f"/api/models/{job.model}/predictions", json={"explain": True, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_contributions_lead_from_the_means_of_training_to_the_outputs(client: Client) -> None:
    job = trained(client, "y", "Chain(Dense(5 => 8, tanh), Dense(8 => 1))", optimiser={"rule": "Adam", "eta": 0.05})
    answer = explained(client, job, dataset=job.dataset, part="test")
    found = answer["contributions"]
    assert found["columns"] == ["a", "kind", "on"]
    way = np.array(answer["outputs"]) - found["baseline"]
    np.testing.assert_allclose(np.sum(found["values"], axis=2), way, rtol=1e-3)
    kinds = [COLUMNS["kind"][:50].count(name) / 50 for name in ("blue", "green", "red")]
    means = [np.mean(COLUMNS["a"][:50], dtype=np.float32), *kinds, np.mean(COLUMNS["on"][:50])]
    at_means = explained(client, job, inputs=[list(map(float, means))])
    np.testing.assert_allclose(at_means["outputs"][0], found["baseline"], rtol=1e-5)
    by_name = explained(client, job, rows=[{name: COLUMNS[name][-1] for name in ("a", "kind", "on")}])
    np.testing.assert_allclose(by_name["contributions"]["values"][0], found["values"][-1], rtol=1e-5)


@pytest.mark.parametrize("end", [", softmax", ""])
def test_contributions_to_classes_are_to_their_logits(client: Client, end: str) -> None:
    loss = "crossentropy" if end else "logitcrossentropy"
    job = trained(client, "class", f"Chain(Dense(5 => 4, tanh), Dense(4 => 2){end})", loss=loss)
    answer = explained(client, job, dataset=job.dataset, part="test")
    logits = np.array(answer["contributions"]["baseline"]) + np.sum(answer["contributions"]["values"], axis=2)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answer["probabilities"], chances, rtol=1e-3)


def test_what_cannot_be_explained_is_refused_with_the_reason(client: Client) -> None:
    job = trained(client, "y", "Dense(5 => 1)", optimiser={"rule": "Descent", "eta": 0.01})
    address = f"/api/models/{job.model}/predictions"
    row = [1.0, 0, 0, 1, 1]
    many = client.http.post(address, json={"inputs": [row] * 333_334, "explain": True})
    assert (many.status_code, "333,333 rows" in many.json()["detail"]) == (413, True)
    for accept in ("text/csv", "application/vnd.apache.arrow.stream", "application/x-npy"):
        refused = client.http.post(address, json={"inputs": [row], "explain": True}, headers={"accept": accept})
        assert (refused.json()["code"], pointers(refused)) == ("no_room", ["#/explain"])
    untrained = client.http.post(f"{address}?version=0", json={"inputs": [row], "explain": True})
    assert untrained.json()["code"] == "no_training_data"
    assert pointers(client.http.post(address, json={"inputs": [row], "explain": "yes"})) == ["#/explain"]
    assert "contributions" not in client.http.post(address, json={"inputs": [row], "explain": False}).json()
