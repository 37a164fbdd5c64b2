"""Advice on a loss before a job runs, and remedies for one whose first loss was not finite."""

from typing import Any

import pytest

from service.client import Client

SPECIES = ["setosa", "versicolor", "virginica"] * 4
LENGTHS = [float(row % 3) for row in range(12)]


def flowers(client: Client, species: list[Any] = SPECIES) -> str:
    columns: dict[str, Any] = {"length": LENGTHS, "species": species}
    return client.create_dataset(columns, ["species"]).id


def advised(client: Client, architecture: str, dataset: str, loss: str) -> list[tuple[str, str]]:
    body = {"model": client.create_model(architecture).id, "dataset": dataset, "loss": loss}
    answer = client.http.post("/api/jobs?validate_only=true", json={**body, "optimiser": {"rule": "Adam", "eta": 0.01}})
    assert answer.status_code == 200, answer.text
    return [(each["code"], each["pointer"]) for each in answer.json()["advice"]]


@pytest.mark.parametrize(
    ("architecture", "loss", "code"),
    [
        ("Dense(1 => 3)", "crossentropy", "loss_takes_probabilities"),
        ("Dense(1 => 3)", "kldivergence", "loss_takes_probabilities"),
        ("Dense(1 => 3)", "mse", "no_probabilities"),
        ("Chain(Dense(1 => 3), softmax)", "logitcrossentropy", "logits_of_probabilities"),
        ("Dense(1 => 3)", "logitcrossentropy", None),
        ("Chain(Dense(1 => 3), softmax)", "crossentropy", None),
    ],
)
def test_a_loss_that_does_not_suit_is_advised_against(
    client: Client, architecture: str, loss: str, code: str | None
) -> None:
    assert advised(client, architecture, flowers(client), loss) == ([] if code is None else [(code, "#/loss")])


def test_a_boolean_target_has_a_loss_of_its_own(client: Client) -> None:
    dataset = flowers(client, [True, False] * 6)
    assert advised(client, "Dense(1 => 1)", dataset, "mse") == [("no_probabilities", "#/loss")]
    assert advised(client, "Dense(1 => 1)", dataset, "logitbinarycrossentropy") == []


def test_a_first_loss_that_is_not_finite_is_named_and_not_the_rate(client: Client) -> None:
    model = client.create_model("Dense(1 => 3)", parameters=[{"weight": [[-1]] * 3, "bias": [-1] * 3}])
    job = client.train(model.id, flowers(client), wait=30, epochs=5, loss="crossentropy")
    assert [each.code for each in job.advice] == ["loss_takes_probabilities"]
    assert job.state == "failed"
    assert job.error is not None
    assert (job.error.code, job.error.epoch) == ("diverged", 0)
    assert job.error.detail.startswith("The loss is not finite for the parameters that training begins from.")
    assert "logitcrossentropy" in job.error.detail
    assert "rate" not in job.error.detail


def test_a_job_whose_inputs_are_too_large_is_told_to_standardise(client: Client) -> None:
    dataset = client.create_dataset({"x": [1e30, 2e30], "y": [1.0, 2.0]}, ["y"]).id
    model = client.create_model("Dense(1 => 1)", parameters=[{"weight": [[1]], "bias": [0]}])
    job = client.train(model.id, dataset, wait=30, epochs=5)
    assert job.error is not None
    assert (job.error.code, job.error.epoch) == ("diverged", 0)
    assert '"standardise": true' in job.error.detail
    assert "rate" not in job.error.detail
