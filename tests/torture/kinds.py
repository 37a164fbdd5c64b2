"""Kinds of jobs to torture: each has another state that a worker must carry over, and ends after a second of work."""

from dataclasses import dataclass
from typing import Any

ROWS = 400
XS = [row / ROWS for row in range(ROWS)]
WAVE: dict[str, Any] = {
    "columns": {"x": XS, "y": [x * (1 - x) for x in XS]},
    "targets": ["y"],
    "split": {"validation": {"last": 50}},
}
HIDDEN = "Chain(Dense(1 => 8, tanh), Dense(8 => 1))"
ADAM = {"rule": "Adam", "eta": 0.01}


@dataclass(frozen=True)
class Kind:
    """A network and a recipe."""

    architecture: str
    recipe: dict[str, Any]

    def body(self, model: str, dataset: str, share: float) -> dict[str, Any]:
        """Return the job as it is posted, with a share of its epochs: always from the first version, and with patience
        for lost workers.
        """
        epochs = max(3, round(share * self.recipe["epochs"]))
        lasting = {"from_version": 0, "max_attempts": 1000}
        return {"model": model, "dataset": dataset, **lasting, **self.recipe, "epochs": epochs}


KINDS = {
    "quadratic": Kind("Dense(1 => 1)", {"epochs": 20_000, "path": "quadratic"}),
    "batches": Kind("Dense(1 => 1)", {"epochs": 300, "path": "batches", "batch_size": 16, "shuffle": True, "seed": 2}),
    "moments": Kind(HIDDEN, {"epochs": 150, "batch_size": 16, "shuffle": True, "seed": 3, "optimiser": ADAM}),
    "schedule": Kind(
        HIDDEN,
        {
            "epochs": 1000,
            "optimiser": {"rule": "Momentum", "eta": 0.01},
            "schedule": {"name": "Step", "start": 0.05, "decay": 0.9, "step_sizes": [100]},
        },
    ),
    "running averages": Kind(
        "Chain(Dense(1 => 8), BatchNorm(8, tanh), Dense(8 => 1))",
        {"epochs": 100, "batch_size": 35, "shuffle": True, "optimiser": ADAM},
    ),
    "masks": Kind(
        "Chain(Dense(1 => 8, tanh), Dropout(0.2), Dense(8 => 1))",
        {"epochs": 100, "batch_size": 35, "seed": 4, "optimiser": ADAM},
    ),
    "early stopping": Kind(
        HIDDEN,
        {"epochs": 300, "batch_size": 50, "optimiser": ADAM, "early_stopping": {"patience": 200, "min_change": 1e-9}},
    ),
    "points": Kind(HIDDEN, {"epochs": 300, "batch_size": 50, "optimiser": ADAM, "keep_every": 7}),
    "tiny": Kind("Dense(1 => 1)", {"epochs": 3}),
}
"""By name; all end well, whatever rate a client may give them."""
