"""Data of columns of every kind for tests of predictions, and a version that was trained on it."""

from typing import Any

from service.client import Client
from service.jobs.schemas import Job

COLUMNS: dict[str, Any] = {
    "length": [5.1, 4.9, 6.3, 5.8, 7.1, 6.0],
    "wild": [True, False, True, True, False, True],
    "place": ["b", "a", "a", "c", "b", "c"],
    "species": ["setosa", "setosa", "virginica", "virginica", "virginica", "setosa"],
}
ROW: dict[str, Any] = {"length": 5.0, "wild": True, "place": "b"}
EXPANDED = [5.0, 1, 0, 1, 0]
"""The same as the network takes it: places are a, b and c."""
LAYER: dict[str, Any] = {"weight": [[0.5, -1, 2, 0, 1], [-0.25, 1, 0, 1, -2]], "bias": [0.5, 0.25]}
STILL: dict[str, Any] = {"epochs": 1, "optimiser": {"rule": "Descent", "eta": 1e-30}}
"""A recipe that changes no parameter: a version that knows its columns, and whose outputs are known."""


def train(
    client: Client,
    columns: dict[str, Any] | None = None,
    targets: tuple[str, ...] = ("species",),
    layer: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
    **recipe: Any,
) -> Job:
    """The job that made a version out of known parameters, by a recipe that leaves them as they are."""
    stored = client.create_dataset(columns or COLUMNS, list(targets), **(dataset or {}))
    given = layer or LAYER
    shape = f"{len(given['weight'][0])} => {len(given['weight'])}"
    model = client.create_model(f"Dense({shape})", parameters=[given], dtype=stored.dtype)
    job = client.train(model.id, stored.id, wait=30, **{**STILL, "loss": "logitcrossentropy", **recipe})
    assert job.state == "succeeded", job.error
    return job
