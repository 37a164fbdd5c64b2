"""Statistics of a column, part by part."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from service.numbers import Array, finite

QUANTILES = (0.25, 0.5, 0.75)
BINS = 20


def summarise(name: str, values: Array, parts: Mapping[str, slice]) -> dict[str, Any]:
    """The summary of a numeric column in stored order, as `ColumnSummary` has it."""
    with np.errstate(all="ignore"):  # what overflows float64 is answered as null
        return {
            "name": name,
            "kind": "numeric",
            "parts": {part: _describe(values[rows]) for part, rows in parts.items()},
        }


def _describe(values: Array) -> dict[str, Any]:
    count = len(values)
    if not count:
        empty = dict.fromkeys(("mean", "std", "min", "max", "histogram", "categories"))
        return {"count": 0, "missing": 0, "quantiles": {}, **empty}
    exact = values.astype(np.float64)
    return {
        "count": count,
        "missing": 0,
        "mean": finite(exact.mean()),
        "std": finite(exact.std(ddof=1)) if count > 1 else None,
        "min": float(exact.min()),
        "max": float(exact.max()),
        "quantiles": {str(q): finite(value) for q, value in zip(QUANTILES, np.quantile(exact, QUANTILES), strict=True)},
        "histogram": _histogram(exact),
        "categories": None,
    }


def _histogram(values: Array) -> dict[str, Any]:
    """Counts in bins of one width between the smallest and the largest value.

    There are fewer bins where float64 has not so many edges there: between neighbouring numbers, or at one large one.
    """
    with suppress(ValueError):
        counts, edges = np.histogram(values, bins=BINS)
        return {"edges": edges.tolist(), "counts": counts.tolist()}
    smallest, largest = values.min(), values.max()
    share = np.linspace(0, 1, BINS + 1)
    edges = np.unique(np.clip(smallest * (1 - share) + largest * share, smallest, largest))
    counts, edges = np.histogram(values, bins=edges if len(edges) > 1 else np.repeat(edges, 2))
    return {"edges": edges.tolist(), "counts": counts.tolist()}
