"""The seconds that a plan foretells beside those that a worker takes, from its claim to the job's end.

.venv/bin/python -m benchmarks.plan
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from service.client import Client
from tests.support.serving import running_service, wait_for

ROUNDS = 5
ADAM = {"rule": "Adam"}
LAST = "Dense(32 => 1)"


class Case(NamedTuple):
    """An architecture, rows, and a recipe."""

    architecture: str
    rows: int
    recipe: dict[str, Any]


CASES = [
    Case("Dense(1 => 1)", 100, {"epochs": 201}),
    Case("Dense(1 => 1)", 100, {"epochs": 100_000}),
    Case("Dense(1 => 1)", 100, {"epochs": 1000, "batch_size": 10}),
    Case("Dense(4 => 1)", 1000, {"epochs": 10, "batch_size": 1, "optimiser": ADAM}),
    Case("Chain(Dense(1 => 16, tanh), Dense(16 => 1))", 100, {"epochs": 2000, "optimiser": ADAM}),
    Case("Chain(Dense(10 => 32, relu), Dense(32 => 1))", 5000, {"epochs": 30, "batch_size": 64, "optimiser": ADAM}),
    Case(f"Chain(Dense(10 => 32, swish), BatchNorm(32), Dropout(0.2), {LAST})", 5000, {"epochs": 10, "batch_size": 64}),
    Case(f"Chain(Dense(10 => 256, tanh), Dense(256 => 32, tanh), {LAST})", 5000, {"epochs": 5, "batch_size": 128}),
    Case("Chain(Dense(100 => 256, relu), Dense(256 => 1))", 20_000, {"epochs": 5, "optimiser": ADAM}),
]


def ratios(client: Client, case: Case) -> list[float]:
    """Return the seconds that jobs took by those that their plans foretold."""
    inputs = int(case.architecture.split("(")[-1 if case.architecture.startswith("Dense") else 2].split(" ")[0])
    values = np.random.default_rng(0).normal(size=(inputs, case.rows)).round(3)
    columns = {f"x{place}": column.tolist() for place, column in enumerate(values)}
    dataset = client.create_dataset({**columns, "y": np.tanh(values[0]).tolist()}, ["y"]).id
    model = client.create_model(case.architecture).id
    found = []
    for _ in range(ROUNDS):
        job = client.train(model, dataset, wait=60, from_version=0, **case.recipe)
        assert job.started_at is not None
        assert job.ended_at is not None
        found.append((job.ended_at - job.started_at).total_seconds() / job.plan.seconds)
    return found


def main() -> None:
    print("took / foretold: median, least and greatest of each case; 0.5 to 2 is what a plan should keep to")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder) / "data") as service,
        service.client() as client,
    ):
        wait_for(lambda: client.http.get("/health/ready").is_success)
        for case in CASES:
            found = ratios(client, case)
            figures = " ".join(f"{ratio:5.2f}" for ratio in (statistics.median(found), min(found), max(found)))
            print(f"{figures}  {case.architecture} {case.recipe}")


if __name__ == "__main__":
    main()
