"""The importance of a version's columns: what its loss rises by when one of them is dealt out anew."""

from typing import NamedTuple

import numpy as np

from service.datasets.arrangement import rows_of
from service.datasets.view import DatasetView
from service.errors import invalid
from service.evaluations.records import ColumnImportance
from service.http import json_numbers
from service.http.json_numbers import Array
from service.learning.confidence.importance import rises
from service.learning.losses import Loss
from service.models.trained_network import TrainedNetwork

MOST_ROWS = 100_000
FEWEST_ROWS = 100
BUDGET = 50_000_000_000
"""Multiplications that take some seconds; of many rows, fewer are taken."""
PATIENCE = 10
"""Factor by which the fewest rows may take longer."""


class Permutations(NamedTuple):
    """The permutations of each column: their number, and the seed that draws them."""

    repeats: int = 5
    seed: int = 0


def importance_of(
    trained: TrainedNetwork, view: DatasetView, part: str, weights: Array | None, loss: Loss, wanted: Permutations
) -> list[ColumnImportance]:
    """Return the importance of each column of a version, the largest first, from rows of a part, evenly spread.

    Raises:
        Invalid: it would take too long.
    """
    stored, targets = view.first_rows(part, view.count(part))
    passes = len(view.columns.features) * (1 + wanted.repeats)
    row_cost = passes * max(1, trained.network.parameter_count - trained.idle_weights)
    count = min(len(stored), MOST_ROWS, max(FEWEST_ROWS, BUDGET // row_cost))
    if count * row_cost > PATIENCE * BUDGET:
        detail = f"{wanted.repeats} repeats of {len(view.columns.features)} columns take too long for this network"
        raise invalid("#/importance", f"{detail}: ask for fewer, or for the effect of a column.", "too_much_work")
    places = np.linspace(0, len(stored) - 1, count).astype(np.intp)
    sample, own_weights = np.array(stored[places]), None if weights is None else weights[places]
    if own_weights is not None and not own_weights.any():
        own_weights = None
    truth = rows_of(np.array(targets[places]), view.columns.targets, view.dtype)

    def loss_of(rows: Array) -> float:
        total = loss.total()
        inputs = rows_of(rows, view.columns.features, view.dtype)
        for _ in trained.network.measure(trained.vector, inputs, truth, total, own_weights):
            pass
        return total.value

    found: list[ColumnImportance] = []
    with np.errstate(all="ignore"):
        for number, each in enumerate(view.columns.features):
            rise = rises(sample, each.place, loss_of, repeats=wanted.repeats, seed=(wanted.seed, number))
            mean, std = json_numbers.finite(float(rise.mean())), json_numbers.finite(float(rise.std()))
            found.append({"column": each.column.name, "mean": mean, "std": std})
    return sorted(found, key=lambda each: -np.inf if each["mean"] is None else each["mean"], reverse=True)
