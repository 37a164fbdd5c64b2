"""Requests that this replica has answered: counts and times by route, never by what a client chose."""

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from starlette.types import Scope

from service.http.routes import DirectRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

OTHER = "other"
"""The route and the method of requests that no route takes."""
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds; the upper bounds of the buckets of predictions."""


class Traffic:
    """An observer of requests, called in the event loop alone, and a collector for the scrapes of another thread."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}
        """Requests by method, route and status."""
        self._seconds: dict[str, tuple[int, float]] = {}
        """Requests and their seconds, by route."""
        self._predictions = [0] * (len(BOUNDS) + 1)
        self._seconds_of_predictions = 0.0

    def __call__(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        if route is None:
            key = OTHER, OTHER, str(status)
        else:
            method = scope["method"]
            key = method if method in METHODS else OTHER, route.path, str(status)
        self._counts[key] = self._counts.get(key, 0) + 1
        count, total = self._seconds.get(key[1], (0, 0.0))
        self._seconds[key[1]] = count + 1, total + seconds
        if isinstance(route, DirectRoute):
            self._predictions[bisect_left(BOUNDS, seconds)] += 1
            self._seconds_of_predictions += seconds

    def describe(self) -> "list[Metric]":
        return []

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, SummaryMetricFamily

        names = ["method", "route", "status"]
        requests = CounterMetricFamily("descent_http_requests", "Requests, by route and status.", labels=names)
        for key, count in dict(self._counts).items():
            requests.add_metric(key, count)
        yield requests
        times = SummaryMetricFamily("descent_http_request_seconds", "Seconds that requests took.", labels=["route"])
        for route, (count, total) in dict(self._seconds).items():
            times.add_metric([route], count, total)
        yield times
        bounds = [*map(str, BOUNDS), "+Inf"]
        buckets = list(zip(bounds, accumulate(self._predictions), strict=True))
        description = "Seconds that predictions took."
        yield HistogramMetricFamily(
            "descent_prediction_seconds", description, buckets=buckets, sum_value=self._seconds_of_predictions
        )
