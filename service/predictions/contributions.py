"""The contributions of columns to the outputs of rows, from the means of the version's training."""

import numpy as np

from service.confidence.source import training_of
from service.database.database import Database
from service.datasets.arrangement import Arrangement, SeenColumn
from service.errors import TooLarge, invalid
from service.http import json_numbers, media_types
from service.http.json_numbers import Array, JsonObject
from service.learning.confidence.contributions import FIRST_STEPS, integrated
from service.learning.network import Network
from service.learning.rows.one_hot import Rows
from service.learning.training.second_order.together import without_last
from service.models.trained_network import TrainedNetwork

MOST_NUMBERS = 1_000_000
MOST_PRODUCTS = 100_000_000_000
"""Multiplications of the first steps, some seconds' worth."""


def contributions_of(database: Database, trained: TrainedNetwork, inputs: Rows, wanted: str) -> JsonObject:
    """Return the contributions to the outputs of these rows; of classes to their logits.

    Raises:
        Invalid: the version's training is not known, the form of the answer has no room, or something overflows.
        TooLarge: there would be too many numbers, or it would take too long.
    """
    if wanted != media_types.JSON:
        raise invalid("#/explain", f"{wanted} has no room for contributions: accept {media_types.JSON}.", "no_room")
    with database.reading() as session:
        training = training_of(session, trained)
        if training is None:
            detail = f"Version {trained.version} has no training, or lost its dataset, whose means explain begins from"
            raise invalid("#/explain", f"{detail}: train it on a dataset first.", "no_training_data")
        columns = training[1]
        baseline = np.concatenate([_mean(columns, each) for each in columns.features])
    network = _explained(trained)
    _check_size(network, len(inputs), len(columns.features))
    widths = [each.column.width for each in columns.features]
    with np.errstate(all="ignore"):
        found = integrated(network, trained.vector.astype(np.float64), inputs, baseline, widths)
    if not (json_numbers.all_finite(found.baseline) and json_numbers.all_finite(found.values)):
        raise invalid("#/explain", "Gradients on the way from the means to these rows overflow.", "overflow")
    names = [each.column.name for each in columns.features]
    return {"baseline": found.baseline, "columns": names, "values": found.values}


def _explained(trained: TrainedNetwork) -> Network:
    """Return the network in float64; without the softmax or sigmoid at its end that makes probabilities of classes."""
    layer, signature = trained.network.layer, trained.signature
    if signature is not None and signature.link == "identity":
        layer = without_last(layer, "softmax") or without_last(layer, "sigmoid") or layer
    return Network(layer, "float64")


def _mean(columns: Arrangement, seen: SeenColumn) -> Array:
    """Return the mean of a column in training; of categories their frequencies."""
    summary = columns.summary(seen)["train"]
    if seen.column.kind != "categorical":
        return np.array([summary["mean"] or 0.0])
    counts = summary["categories"] or {}
    known = np.array([counts.get(name, 0) for name in seen.column.categories or ()], np.float64)
    frequencies: Array = known / max(1.0, known.sum())
    return frequencies


def _check_size(network: Network, rows: int, columns: int) -> None:
    numbers = rows * network.outputs * columns
    if numbers > MOST_NUMBERS:
        detail = (
            f"{rows:,} rows × {network.outputs:,} outputs × {columns:,} columns are more than {MOST_NUMBERS:,} numbers"
        )
        raise TooLarge(f"{detail}: {_remedy(MOST_NUMBERS // (network.outputs * columns))}.")
    products = network.outputs * 3 * FIRST_STEPS * max(1, network.parameter_count)
    if rows * products > MOST_PRODUCTS:
        detail = f"To explain {rows:,} rows by so large a network takes too long"
        raise TooLarge(f"{detail}: {_remedy(MOST_PRODUCTS // products)}.")


def _remedy(most: int) -> str:
    return f"send at most {most:,} rows" if most else "leave `explain` out"
