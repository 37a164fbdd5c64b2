"""Means and deviations of the metrics of folds."""

import math
import statistics
from collections.abc import Callable, Sequence

from service.http.json_numbers import JsonObject

Summary = Callable[[Sequence[float]], float]


def mean_and_deviation(metrics: Sequence[JsonObject]) -> tuple[JsonObject, JsonObject]:
    """Return the means and the standard deviations (n - 1) of all numbers; lists, such as a confusion matrix, are left
    out, and a number that some fold lacks is null.
    """
    return _summary(metrics, statistics.fmean), _summary(metrics, statistics.stdev)


def _summary(metrics: Sequence[JsonObject], summary: Summary) -> JsonObject:
    found: JsonObject = {}
    for name, value in metrics[0].items():
        values = [each.get(name) for each in metrics]
        if isinstance(value, dict):
            found[name] = _summary([each for each in values if isinstance(each, dict)], summary)
        elif not isinstance(value, list):
            numbers = [each for each in values if isinstance(each, int | float) and math.isfinite(each)]
            found[name] = summary(numbers) if len(numbers) == len(metrics) else None
    return found
