"""A version that is much worse for raw inputs than its training was for standardised ones is told of."""

from typing import Any

import numpy as np
import pytest

from service.client import Client

RECIPE: dict[str, Any] = {"epochs": 300, "standardise": True, "optimiser": {"rule": "Adam", "eta": 0.02}, "wait": 30}


@pytest.mark.parametrize(
    ("start", "dtype", "codes"), [(1e6, "float32", ["rounded_parameters"]), (1e6, "float64", []), (10.0, "float32", [])]
)
def test_parameters_that_lose_their_digits_are_told_at_the_end(
    client: Client, start: float, dtype: str, codes: list[str]
) -> None:
    spread = np.random.default_rng(1).normal(size=300).round(2)
    held = (start + spread * 4).astype(np.float32).astype(float)  # by float32, too
    columns = {"x": held.tolist(), "y": np.tanh((held - start) / 4).tolist()}
    dataset = client.create_dataset(columns, ["y"], dtype=dtype).id
    model = client.create_model("Chain(Dense(1 => 8, tanh), Dense(8 => 1))", dtype=dtype)
    job = client.train(model.id, dataset, **RECIPE)
    assert job.state == "succeeded"
    assert [each.code for each in job.advice] == codes
    assert all("dtype" in each.detail and each.pointer == "#/model" for each in job.advice)
