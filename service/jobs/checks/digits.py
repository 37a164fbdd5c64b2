"""Whether a network's dtype has the digits of its dataset's numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from service.datasets.columns import ColumnStatistics
from service.datasets.rounding import EXACT_TO, TELLING, Rounding
from service.http.json_numbers import Array
from service.jobs.checks.case import Case
from service.learning.planning.advice import Advice

ROWS = 1 << 12
"""Rows of the training part that are looked at."""


def digits_lost(case: Case) -> Iterator[Advice]:
    """Advise where a network of fewer bits than its dataset cannot tell that one's numbers apart."""
    if case.network.dtype != "float32" or case.dataset.dtype == "float32":
        return
    stored, arrangement = case.view.first_rows("train", ROWS), case.view.columns
    for array, columns in zip(stored, (arrangement.features, arrangement.targets), strict=True):
        for seen in columns:
            summary = arrangement.summary(seen)["train"]
            if seen.column.kind == "numeric" and _large(summary):
                rounding = _rounding(array[:, seen.place])
                if rounding.tells:
                    remedy = 'A model with "dtype": "float64" has them; the dataset has that dtype already'
                    yield Advice("digits_lost", f"{rounding.sentence(seen.stored.name)}. {remedy}.", "#/model")


def _rounding(stored: Array) -> Rounding:
    values, rounding = np.array(stored), Rounding()
    with np.errstate(over="ignore"):
        rounding.add(values, values.astype(np.float32))
    return rounding


def _large(seen: ColumnStatistics) -> bool:
    largest = max(-seen["min"], seen["max"])
    return bool(largest >= EXACT_TO or largest * TELLING >= seen["max"] - seen["min"])
