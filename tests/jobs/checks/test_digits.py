"""Advice where a network's dtype has fewer digits than the numbers of its dataset."""

from typing import Any

import numpy as np
import pytest

from service.client import Client

TIMES = [1_700_000_000 + row for row in range(200)]
HALVES = [row / 2 for row in range(200)]


def advised(client: Client, columns: dict[str, Any], *, model: str, dataset: str = "float64") -> list[dict[str, str]]:
    stored = client.create_dataset(columns, ["y"], dtype=dataset).id
    body = {"model": client.create_model("Dense(1 => 1)", dtype=model).id, "dataset": stored, "standardise": True}
    advice = client.http.post("/api/jobs?validate_only=true", json=body).json()["advice"]
    return [each for each in advice if each["code"] == "digits_lost"]


@pytest.mark.parametrize(
    "columns",
    [{"x": TIMES, "y": HALVES}, {"x": HALVES, "y": TIMES}, {"x": [1e6 + each / 200 for each in HALVES], "y": HALVES}],
)
def test_a_float32_model_of_float64_numbers_is_told_the_dtype_to_take(client: Client, columns: dict[str, Any]) -> None:
    (advice,) = advised(client, columns, model="float32")
    assert advice["pointer"] == "#/model"
    assert '"dtype": "float64"' in advice["detail"]
    assert advised(client, columns, model="float64") == []


def test_numbers_that_float32_holds_need_no_other_model(client: Client) -> None:
    assert advised(client, {"x": HALVES, "y": np.sin(HALVES).tolist()}, model="float32") == []


def test_times_are_learnt_by_the_dtype_that_advice_names(client: Client) -> None:
    dataset = client.create_dataset({"t": TIMES, "y": HALVES}, ["y"], dtype="float64").id
    model = client.create_model("Dense(1 => 1)", dtype="float64").id
    job = client.train(model, dataset, wait=30, epochs=500, standardise=True)
    assert job.final_loss is not None
    assert job.final_loss < 1e-9
