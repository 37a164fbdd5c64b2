"""Metrics of whole tables that are added block by block."""

from collections.abc import Iterator, Sequence
from typing import Any

from service.learning.arrays import Array, Indices
from service.learning.evaluation.metrics import Classification, Metric, Regression


def regression(predictions: Array, targets: Array, block: int = 7) -> dict[str, Metric]:
    judged = Regression()
    for rows in blocks(len(targets), block):
        judged.add(predictions[rows], targets[rows])
    return judged.result()


def classification(
    scores: Array,
    codes: Array | Indices,
    classes: Sequence[str | bool],
    block: int = 7,
    *,
    probabilities: bool = True,
) -> dict[str, Any]:
    judged = Classification(classes, len(codes), probabilities=probabilities)
    for rows in blocks(len(codes), block):
        judged.add(scores[rows], codes[rows])
    return judged.result()


def blocks(rows: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, rows, size))
