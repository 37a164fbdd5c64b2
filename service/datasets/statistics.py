"""Statistics of a column, part by part."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from service.numbers import Array

QUANTILES = (0.25, 0.5, 0.75)
BINS = 20


def summarise(name: str, values: Array, parts: Mapping[str, slice]) -> dict[str, Any]:
    """The summary of a numeric column in stored order, as `ColumnSummary` has it."""
    return {"name": name, "kind": "numeric", "parts": {part: _describe(values[rows]) for part, rows in parts.items()}}


def _describe(values: Array) -> dict[str, Any]:
    count = len(values)
    if not count:
        empty = dict.fromkeys(("mean", "std", "min", "max", "histogram", "categories"))
        return {"count": 0, "missing": 0, "quantiles": {}, **empty}
    exact = values.astype(np.float64)
    counts, edges = np.histogram(exact, bins=BINS)
    return {
        "count": count,
        "missing": 0,
        "mean": float(exact.mean()),
        "std": float(exact.std(ddof=1)) if count > 1 else None,
        "min": float(exact.min()),
        "max": float(exact.max()),
        "quantiles": {str(q): float(value) for q, value in zip(QUANTILES, np.quantile(exact, QUANTILES), strict=True)},
        "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
        "categories": None,
    }
