"""The targets of a dataset as evaluations score them, and the metrics by their names."""

from collections.abc import Sequence

from service.datasets.columns import Column
from service.learning.evaluation.evaluation import Classes, Evaluation, Numbers
from service.learning.evaluation.metrics import Metrics


def scored(columns: Sequence[Column]) -> list[Numbers | Classes]:
    """Return the targets to score: numeric ones as one group if there are no others, otherwise each alone."""
    if all(target.kind == "numeric" for target in columns):
        return [Numbers(len(columns))]
    return [_scored(target) for target in columns]


def _scored(target: Column) -> Numbers | Classes:
    if target.kind == "boolean":
        return Classes((False, True))
    return Numbers() if target.categories is None else Classes(target.categories)


def metrics_by_name(columns: Sequence[Column], found: Evaluation) -> Metrics:
    """Return the metrics; where they are of several targets, those of each under its name."""
    if len(found.metrics) == 1:
        return found.metrics[0]
    return {target.name: metrics for target, metrics in zip(columns, found.metrics, strict=True)}
